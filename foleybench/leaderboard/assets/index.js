"use strict";
(() => {
  const number = (cell) => {
    const raw = cell ? cell.dataset.value : undefined;
    return raw === undefined || raw === "" ? null : raw;
  };

  // Missing values go last in both directions; equal ones keep their order; pinned rows stay in their own group.
  const compare = (sign) => (a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.at - b.at;
    const x = Number(a.key), y = Number(b.key);
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.key.localeCompare(b.key) : x - y;
    return sign * order || a.at - b.at;
  };

  const sortBy = (button) => {
    const head = button.closest("th"), table = button.closest("table");
    const first = button.dataset.better === "higher" ? "descending" : "ascending";
    const now = head.getAttribute("aria-sort");
    const next = now === first ? (first === "descending" ? "ascending" : "descending") : first;
    table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", next);
    const column = head.cellIndex;
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("divider"));
      rows.map((row, at) => ({ row, at, key: number(row.cells[column]) }))
        .sort(compare(next === "ascending" ? 1 : -1))
        .forEach(({ row }) => body.append(row));
    }
  };

  const quote = (text) => {
    const value = text === undefined || text === null ? "" : String(text);
    const safe = /^[=+@\t\r]|^-(?![\d.])/.test(value) ? "'" + value : value;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };

  const csvOf = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const names = heads.map((head) => head.dataset.metric);
    const line = ["system", "kind"];
    heads.forEach((head, i) => {
      const metric = names[i];
      if (metric) line.push(metric, metric + "_low", metric + "_high", metric + "_rank", metric + "_n");
    });
    const lines = [line];
    for (const row of table.querySelectorAll("tbody tr:not(.divider)")) {
      const cells = [...row.cells];
      const out = [cells[0].dataset.value, cells[0].dataset.kind];
      cells.forEach((cell, i) => {
        const { value, low, high, rank, n } = cell.dataset;
        if (names[i]) out.push(value, low, high, rank, n);
      });
      lines.push(out);
    }
    return lines.map((cells) => cells.map(quote).join(",")).join("\n") + "\n";
  };

  const download = (button) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(document.getElementById(button.dataset.table))], { type: "text/csv" }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const switchTheme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  const fold = (button, open) => {
    button.setAttribute("aria-expanded", String(open));
    button.closest("tbody").classList.toggle("folded", !open);
  };

  // While something is sought, folded rows are sought, too; what was folded folds again afterwards.
  const find = () => {
    const wanted = document.getElementById("find").value.trim().toLowerCase();
    let hits = 0;
    document.querySelectorAll("table.results tbody tr:not(.divider)").forEach((row) => {
      const hit = row.cells[0].dataset.value.toLowerCase().includes(wanted);
      hits += hit;
      row.classList.toggle("unfound", !hit);
    });
    document.querySelectorAll("section.board").forEach((board) => {
      board.hidden = wanted !== "" && !board.querySelector("table.results tbody tr:not(.divider):not(.unfound)");
    });
    document.querySelectorAll(".fold").forEach((button) => fold(button, wanted !== ""));
    document.getElementById("nothing").hidden = wanted === "" || hits > 0;
    document.querySelectorAll(".frame").forEach(cue);
  };

  const cue = (frame) => {
    const inner = frame.firstElementChild;
    frame.classList.toggle("goes-on", inner.scrollLeft + inner.clientWidth < inner.scrollWidth - 1);
  };

  document.querySelectorAll(".fold").forEach((button) => fold(button, false));
  document.querySelectorAll(".frame").forEach((frame) => {
    frame.firstElementChild.addEventListener("scroll", () => cue(frame), { passive: true });
    new ResizeObserver(() => cue(frame)).observe(frame);
    cue(frame);
  });
  document.getElementById("find").addEventListener("input", find);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target.matches("dialog.drawer")) event.target.close();
    else if (!button) return;
    else if (button.matches(".sort")) sortBy(button);
    else if (button.matches(".fold")) fold(button, button.getAttribute("aria-expanded") === "false");
    else if (button.matches(".open")) document.getElementById(button.dataset.open).showModal();
    else if (button.matches(".download")) download(button);
    else if (button.id === "theme") switchTheme();
  });
})();
