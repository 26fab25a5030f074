// Show the examples in which some access model fits all choices; without script all are shown.
const filters = document.getElementById("filters");
const cases = [...document.querySelectorAll(".case")];

function apply() {
  const { task, access, outcome } = Object.fromEntries(new FormData(filters));
  const fits = (part) => (!access || part.dataset.access === access) && (!outcome || part.dataset.outcome === outcome);
  let shown = 0;
  for (const example of cases) {
    example.hidden = (task && example.dataset.task !== task) || ![...example.querySelectorAll(".part")].some(fits);
    shown += !example.hidden;
  }
  document.getElementById("shown").textContent = `${shown} of ${cases.length} examples shown.`;
}

// A link such as report.html#task=nq&access=bm25 chooses beforehand.
const linked = new URLSearchParams(location.hash.slice(1));
for (const choice of filters.elements) if (linked.has(choice.name)) choice.value = linked.get(choice.name);
if (linked.has("task")) document.getElementById("examples").scrollIntoView();
filters.addEventListener("change", apply);
filters.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("beforeprint", () => document.querySelectorAll("article:not([hidden]) details").forEach((part) => (part.open = true)));
apply();
