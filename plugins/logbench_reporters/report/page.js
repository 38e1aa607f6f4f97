"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { specs, models } = read("data");
  const views = {};

  // Figures: drawn when they are first seen, in the width that there is.
  const sized = (spec, width) => {
    const fitted = structuredClone(spec);
    if (fitted.vconcat) fitted.vconcat.forEach((part) => { part.width = Math.max(width - 90, 200); });
    else if (fitted.facet) {
      fitted.columns = width < 640 ? 1 : 2;
      fitted.spec.width = Math.min(width / fitted.columns - 90, 420);
    } else fitted.width = width;
    if (width < 560) {
      fitted.config.legend.columns = 2;
      fitted.config.axisX.labelFontSize = 10;
    }
    return fitted;
  };
  // A figure is read by its description and its table: what marks a dragged stretch is not read aloud.
  const quiet = (part) => {
    (part.marks ?? []).forEach((mark) => {
      if (mark.name?.includes("_brush")) mark.aria = false;
      quiet(mark);
    });
    return part;
  };
  const draw = async (place) => {
    const name = place.dataset.spec;
    const width = Math.floor(place.parentElement.clientWidth);
    if (!width || Number(place.dataset.width) === width) return;
    place.dataset.width = width;
    try {
      const { view } = await vegaEmbed(place, sized(specs[name], width), { ast: true, actions: false, renderer: "svg", patch: quiet });
      views[name] = view;
      if (name === "threshold") explorer?.show();
    } catch (error) {
      place.textContent = `This figure cannot be drawn: ${error.message}`;
      place.className = "plot error";
    }
  };
  const places = [...document.querySelectorAll("[data-spec]")];
  const onWidth = new ResizeObserver((seen) => seen.forEach(({ target }) => draw(target.querySelector("[data-spec]"))));
  places.forEach((place) => onWidth.observe(place.parentElement));

  // Threshold: the slider moves line, confusion and false alarms.
  const number = (value, digits = 0) => value.toLocaleString("en", { maximumFractionDigits: digits });
  const share = (value) => value.toFixed(3).replace(/^0/, "");
  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const explorer = (() => {
    const slider = document.getElementById("level");
    if (!slider) return null;
    const pick = document.getElementById("model");
    models.forEach(({ model }, at) => pick.append(Object.assign(element("option", model), { value: at })));
    let one = models[0];
    const at = () => Number(slider.value);
    const confusion = () => {
      const n = at(), tp = one.tp[n], fp = one.fp[n], fn = one.anomalies - tp, tn = one.normal - fp;
      const f1 = 2 * tp / Math.max(tp + fp + one.anomalies, 1e-12);
      const table = document.createElement("table");
      table.append(element("caption", `At threshold ${one.labels[n]}`));
      for (const cells of [["", "alarm", "silent"], ["anomaly", number(tp), number(fn)], ["normal", number(fp), number(tn)]]) {
        const row = document.createElement("tr");
        cells.forEach((text, column) => {
          const head = cells[0] === "" || column === 0;
          const cell = element(head ? (text ? "th" : "td") : "td", text);
          if (head && text) cell.scope = column === 0 ? "row" : "col";
          if (column) cell.className = "n";
          row.append(cell);
        });
        table.append(row);
      }
      const rates = [`F1 ${share(f1)}`, `precision ${tp + fp ? share(tp / (tp + fp)) : "–"}`, `recall ${one.anomalies ? share(tp / one.anomalies) : "–"}`];
      const alarms = one.days ? `${number(fp / one.days, 1)} false alarms a day over ${number(one.days, 1)} days` : "false alarms a day: the log has no times";
      document.getElementById("verdict").replaceChildren(table, element("p", rates.join(", ")), element("p", alarms));
    };
    const rows = () => {
      const levels = one.labels.map((label, n) => {
        const tp = one.tp[n], fp = one.fp[n];
        const values = { F1: 2 * tp / Math.max(tp + fp + one.anomalies, 1e-12), precision: tp + fp ? tp / (tp + fp) : null, recall: tp / (one.anomalies || 1) };
        return Object.entries(values).filter(([, value]) => value !== null).map(([metric, value]) => ({ level: label, at: n, metric, value }));
      });
      const bins = Object.entries(one.bins).flatMap(([kind, counts]) => counts.map((units, n) => ({ level: one.labels[n], at: n, kind, units })));
      const byLevel = {};
      Object.entries(one.marks).forEach(([name, n]) => (byLevel[n] ??= []).push(name.split(",")[0]));
      const marks = Object.entries(byLevel).map(([n, names]) => ({ level: one.labels[n], at: Number(n), mark: names.join(" = ") }));
      return { bins, sweep: levels.flat(), marks };
    };
    const show = () => {
      document.getElementById("level-text").value = one.labels[at()];
      slider.setAttribute("aria-valuetext", one.labels[at()]);
      confusion();
      const view = views.threshold;
      if (view) view.data("line", [{ level: one.labels[at()], at: at() }]).runAsync();
    };
    const choose = () => {
      one = models[Number(pick.value)];
      slider.max = one.labels.length - 1;
      slider.value = one.start;
      document.getElementById("marks").replaceChildren(...Object.entries(one.marks).map(([name, n]) => {
        const button = element("button", `${name}: ${one.labels[n]}`);
        button.type = "button";
        button.addEventListener("click", () => { slider.value = n; show(); });
        return button;
      }));
      const view = views.threshold;
      if (view) Object.entries(rows()).forEach(([name, data]) => view.data(name, data));
      show();
    };
    slider.addEventListener("input", show);
    pick.addEventListener("change", choose);
    choose();
    return { show: () => { const view = views.threshold; Object.entries(rows()).forEach(([name, data]) => view.data(name, data)); show(); } };
  })();

  // Tables: a heading sorts by its column, once more the other way round; what has no value stays last.
  document.querySelectorAll(".sortable").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const falls = head.getAttribute("aria-sort") === "descending" ? false : head.getAttribute("aria-sort") === "ascending" ? true : numeric;
      sortBy(table, column, falls);
    }));
  });

  document.querySelectorAll(".copy").forEach((button) => button.addEventListener("click", async () => {
    const text = button.previousElementSibling.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Press Ctrl+C";
    }
  }));
})();
