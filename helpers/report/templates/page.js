"use strict";
(function () {
  var one = function (s, n) { return (n || document).querySelector(s); };
  var all = function (s, n) { return Array.prototype.slice.call((n || document).querySelectorAll(s)); };

  // The contents rail is folded on a phone, open beside the text.
  var rail = one("[data-rail]");
  if (rail && matchMedia("(min-width: 64em)").matches) rail.open = true;

  // All code at once, by button or by one key, which can be switched off.
  var tools = one("[data-tools]"), code = all("details.code");
  if (tools && code.length) {
    var button = one("[data-code]"), key = one("[data-key]"), shown = false;
    var toggle = function () {
      shown = !shown;
      code.forEach(function (d) { d.open = shown; });
      button.textContent = shown ? "Hide all code" : "Show all code";
      button.setAttribute("aria-pressed", String(shown));
    };
    tools.hidden = false;
    button.addEventListener("click", toggle);
    document.addEventListener("keydown", function (e) {
      if (e.key !== "c" || e.ctrlKey || e.metaKey || e.altKey || !key.checked) return;
      if (/^(SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
      toggle();
    });
  }

  // An address may point into something folded.
  var reveal = function () {
    var place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var n = place; n; n = n.parentElement) if (n.tagName === "DETAILS") n.open = true;
    if (place) place.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // The scoreboard: search, filters and sorting. What is chosen stands in the address, so that it can be sent on.
  var board = one("[data-board]"), form = one("[data-filters]");
  if (!board || !form) return;
  var body = board.tBodies[0], rows = all("tr", body), selects = all("[data-filter]", form);
  var search = one("[data-search]", form), count = one("[data-count]", form);
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  var filter = function () {
    var left = 0, wanted = search.value.trim().toLowerCase().split(/\s+/);
    rows.forEach(function (row, place) {
      var keep = selects.every(function (s) { return !s.value || row.getAttribute("data-" + s.dataset.filter) === s.value; });
      keep = keep && wanted.every(function (word) { return texts[place].indexOf(word) >= 0; });
      row.hidden = !keep;
      left += keep ? 1 : 0;
    });
    count.textContent = left + " of " + rows.length + " claims";
  };
  var keep = function () {
    var chosen = new URLSearchParams();
    selects.forEach(function (s) { if (s.value) chosen.set(s.dataset.filter, s.value); });
    if (search.value) chosen.set("q", search.value);
    var text = chosen.toString();
    try {
      history.replaceState(null, "", location.pathname + (text ? "?" + text : "") + location.hash);
    } catch (refused) { /* a page opened as a file may not change its address everywhere */ }
  };
  var changed = function () { filter(); keep(); };
  var given = new URLSearchParams(location.search);
  selects.forEach(function (s) {
    var value = given.get(s.dataset.filter);
    if (all("option", s).some(function (o) { return o.value === value; })) s.value = value;
  });
  search.value = given.get("q") || "";
  form.hidden = false;
  form.addEventListener("input", changed);
  form.addEventListener("submit", function (e) { e.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(changed, 0); });
  all("[data-pick]").forEach(function (link) {
    link.addEventListener("click", function (e) {
      e.preventDefault();
      form.reset();
      one("[data-filter=verdict]", form).value = link.dataset.pick;
      setTimeout(function () { changed(); form.scrollIntoView(); }, 1);
    });
  });
  filter();

  all("thead th", board).forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      all("thead th", board).forEach(function (h) { h.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var value = function (row) {
        var cell = row.cells[column];
        return cell.hasAttribute("data-v") ? Number(cell.getAttribute("data-v")) : cell.textContent;
      };
      rows.slice().sort(function (a, b) {
        var x = value(a), y = value(b);
        var order = typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true });
        return up ? order : -order;
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
})();
