"use strict";
(() => {
  const form = document.querySelector(".filters");
  const tables = [...document.querySelectorAll(".sortable")];
  const fields = form ? [...form.elements].filter((one) => one.name) : [];
  let sorted = ""; // TABLE.COLUMN.DIRECTION of the last heading that was clicked

  // What is shown: rows by model, columns and parts by data set, sections by protocol.
  const shown = () => {
    const want = Object.fromEntries(fields.map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value.trim()]));
    const text = (want.model || "").toLowerCase();
    document.querySelectorAll("tr[data-model]").forEach((row) => {
      row.hidden = !row.dataset.model.toLowerCase().includes(text) || Boolean(want.free && row.dataset.labels === "yes");
    });
    document.querySelectorAll("[data-data]").forEach((part) => { part.hidden = Boolean(want.data) && part.dataset.data !== want.data; });
    let count = 0;
    document.querySelectorAll("section[data-protocol]").forEach((section) => {
      const other = Boolean(want.protocol) && section.dataset.protocol !== want.protocol;
      const heads = [...section.querySelectorAll("th[data-data]")];
      section.hidden = other || (heads.length > 0 && heads.every((head) => head.hidden));
    });
    document.querySelectorAll("tr[data-model]").forEach((row) => { count += !row.hidden && !row.closest("[hidden]"); });
    if (form) form.querySelector("output").value = `${count} ${count === 1 ? "row" : "rows"}`;
  };

  // A heading sorts by its column, once more the other way round.
  tables.forEach((table) => [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const falls = now === "none" ? head.classList.contains("n") && head.textContent !== "#" : now === "ascending";
      sortBy(table, column, falls);
      sorted = [table.id, column, falls ? "down" : "up"].join(".");
      write();
    });
  }));

  // The address keeps what was chosen, so that a link shows the same; a plain anchor names a row.
  const write = () => {
    const state = new URLSearchParams();
    fields.forEach((one) => {
      if (one.type === "checkbox" ? one.checked : one.value.trim()) state.set(one.name, one.type === "checkbox" ? "1" : one.value.trim());
    });
    if (sorted) state.set("sort", sorted);
    history.replaceState(null, "", `#${state}`);
  };
  const read = () => {
    const text = location.hash.slice(1);
    document.querySelectorAll("tr.target").forEach((row) => row.classList.remove("target"));
    if (text && !text.includes("=")) { // a row, which a filter must not hide
      fields.forEach((one) => { if (one.type === "checkbox") one.checked = false; else one.value = ""; });
      shown();
      const row = document.getElementById(decodeURIComponent(text));
      if (row?.tagName === "TR") { row.classList.add("target"); row.scrollIntoView({ block: "center" }); }
      return;
    }
    const state = new URLSearchParams(text);
    fields.forEach((one) => {
      if (one.type === "checkbox") one.checked = state.get(one.name) === "1";
      else one.value = state.get(one.name) || "";
      if (one.tagName === "SELECT" && one.selectedIndex < 0) one.value = "";
    });
    sorted = state.get("sort") || "";
    const [id, column, way] = sorted.split(".");
    const table = tables.find((one) => one.id === id);
    const head = table?.tHead.rows[0].cells[Number(column)];
    if (head?.hasAttribute("aria-sort")) sortBy(table, Number(column), way === "down");
    shown();
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", () => { shown(); write(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => { shown(); write(); }));
  }
  addEventListener("hashchange", read);
  read();
})();
