// Show the examples in which some access model fits all choices; without script all are shown.
const filters = document.getElementById("filters");
const cases = [...document.querySelectorAll(".case")];
const groups = [...document.querySelectorAll("#examples .task")];

function apply() {
  const { task, access, outcome } = Object.fromEntries(new FormData(filters));
  const fits = (part) => (!access || part.dataset.access === access) && (!outcome || part.dataset.outcome === outcome);
  let shown = 0;
  for (const example of cases) {
    example.hidden = (task && example.dataset.task !== task) || ![...example.querySelectorAll(".part")].some(fits);
    shown += !example.hidden;
  }
  for (const group of groups) {
    group.hidden = !group.querySelector(".case:not([hidden])");
    if (task || access || outcome) group.open = true;
  }
  document.getElementById("shown").textContent = `${shown} of ${cases.length} examples shown.`;
}

// On a narrow screen all tasks but the first of a section are folded; without script all are open.
if (matchMedia("(max-width: 44rem)").matches)
  for (const group of document.querySelectorAll(".task[open]")) group.open = group.matches(":first-of-type");

// A link such as report.html#task=nq&access=bm25 chooses beforehand.
const linked = new URLSearchParams(location.hash.slice(1));
for (const choice of filters.elements) if (linked.has(choice.name)) choice.value = linked.get(choice.name);
if (linked.has("task")) document.getElementById("examples").scrollIntoView();
filters.addEventListener("change", apply);
filters.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("beforeprint", () => document.querySelectorAll(":is(#results, #retrieval, #examples) .task, article:not([hidden]) details").forEach((part) => (part.open = true)));
apply();
