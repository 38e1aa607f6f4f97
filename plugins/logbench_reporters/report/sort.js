"use strict";
// Sorts the rows of a table by a column, and says so in its heading; what has no value stays last.
const sortBy = (table, column, falls) => {
  const heads = [...table.tHead.rows[0].cells];
  const numeric = heads[column].classList.contains("n");
  const key = (row) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return (numeric ? x - y : x.localeCompare(y)) * (falls ? -1 : 1);
  });
  heads.forEach((head) => head.hasAttribute("aria-sort") && head.setAttribute("aria-sort", "none"));
  heads[column].setAttribute("aria-sort", falls ? "descending" : "ascending");
  table.tBodies[0].append(...rows);
};
