"use strict";
// Sorting for every table; filter and pages for the table of scans. Without a script all is shown.
const ROWS_A_PAGE = 100;

function valueOf(row, column, numeric) {
  const text = row.cells[column].textContent.trim();
  return numeric ? (text === "" ? NaN : parseFloat(text)) : text.toLowerCase();
}

function sortBy(table, column, header) {
  const numeric = header.classList.contains("n");
  // Of figures the largest are of interest, of names the first.
  const before = header.getAttribute("aria-sort");
  const up = before ? before === "descending" : !numeric;
  const keyed = [...table.tBodies[0].rows].map((row) => [valueOf(row, column, numeric), row]);
  keyed.sort(([a], [b]) => {
    if (numeric && (isNaN(a) || isNaN(b))) return isNaN(a) - isNaN(b);
    const order = numeric ? a - b : a.localeCompare(b, undefined, { numeric: true });
    return up ? order : -order;
  });
  for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

function sortable(table, after) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => { sortBy(table, column, header); after(); });
  });
}

function paged(table) {
  const [words, kind, count, page, back, on] =
    ["words", "kind", "count", "page", "back", "on"].map((id) => document.getElementById(id));
  let number = 0;
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...table.tBodies[0].rows];
    const fits = rows.filter((row) => {
      const text = row.textContent.toLowerCase();
      return (!kind.value || row.dataset.kind === kind.value) && wanted.every((w) => text.includes(w));
    });
    const pages = Math.max(1, Math.ceil(fits.length / ROWS_A_PAGE));
    number = Math.min(number, pages - 1);
    const shown = new Set(fits.slice(number * ROWS_A_PAGE, (number + 1) * ROWS_A_PAGE));
    rows.forEach((row) => { row.hidden = !shown.has(row); });
    count.textContent = fits.length === rows.length ? "" : `${fits.length} of ${rows.length}`;
    page.textContent = `${number + 1} of ${pages}`;
    back.disabled = number === 0;
    on.disabled = number === pages - 1;
    back.parentElement.hidden = pages === 1;
  };
  const first = () => { number = 0; show(); };
  words.addEventListener("input", first);
  kind.addEventListener("change", first);
  back.addEventListener("click", () => { number -= 1; show(); });
  on.addEventListener("click", () => { number += 1; show(); });
  words.form.addEventListener("submit", (event) => event.preventDefault());
  words.form.hidden = false;
  show();
  return first;
}

const scans = document.getElementById("table");
const again = paged(scans);
document.querySelectorAll("table.sortable").forEach((table) => {
  sortable(table, table === scans ? again : () => {});
});

const large = document.getElementById("large");
document.querySelectorAll(".picture").forEach((button) => {
  button.addEventListener("click", () => {
    const image = large.querySelector("img");
    image.src = button.firstElementChild.src;
    image.alt = button.firstElementChild.alt;
    large.showModal();
  });
});
large.addEventListener("click", () => large.close());
