"""What the page does: draw its charts in the colours of the scheme, when they are first seen, and let those of one run zoom together.

`drawn` of the document's element counts the charts that are there, `error` holds a script's error: tests look at both.
"""

SCRIPT = """
(function () {
  'use strict';
  var root = document.documentElement, drawn = [], busy = false;
  root.dataset.drawn = '0';
  window.addEventListener('error', function (event) { root.dataset.error = event.message; });
  document.addEventListener('securitypolicyviolation', function (event) { root.dataset.error = 'wanted: ' + event.blockedURI; });
  function paint(value, colours) {
    if (typeof value === 'string') {
      if (value[0] !== '@') { return value; }
      var parts = value.slice(1).split('/'), colour = colours.getPropertyValue('--' + parts[0]).trim();
      if (parts.length === 1) { return colour; }
      var n = parseInt(colour.slice(1), 16);
      return 'rgba(' + [n >> 16, n >> 8 & 255, n & 255, parts[1]].join(',') + ')';
    }
    if (Array.isArray(value)) {
      var isNamed = typeof value[0] === 'string' && value[0][0] === '@';
      return isNamed ? value.map(function (one) { return paint(one, colours); }) : value.slice();  // plotly writes into what it is given
    }
    if (value && typeof value === 'object') {
      var made = {};
      Object.keys(value).forEach(function (key) {
        made[key] = key === 'shapes' ? value[key].map(function (one) { return paint(one, colours); }) : paint(value[key], colours);
      });
      return made;
    }
    return value;
  }
  function painted(spec) {
    var colours = getComputedStyle(root);
    return { data: spec.data.map(function (trace) { return paint(trace, colours); }), layout: paint(spec.layout, colours) };
  }
  function draw(element) {
    if (element.dataset.done) { return; }
    element.dataset.done = '1';
    var spec = JSON.parse(document.getElementById(element.dataset.spec).textContent), made = painted(spec);
    Plotly.newPlot(element, made.data, made.layout, { responsive: true, displaylogo: false, displayModeBar: false, doubleClick: 'reset' });
    drawn.push({ element: element, spec: spec });
    root.dataset.drawn = String(drawn.length);
    if (element.dataset.time) { element.on('plotly_relayout', function (change) { follow(element, change); }); }
  }
  function milliseconds(moment) { return typeof moment === 'number' ? moment : Date.parse(moment.replace(' ', 'T') + 'Z'); }
  function reach(spec, range) {
    // The lowest and highest value in view: of a line also the one that stood when the view begins. Null where nothing is.
    var from = milliseconds(range[0]), to = milliseconds(range[1]), low = Infinity, high = -Infinity;
    spec.data.forEach(function (trace) {
      var before = null;
      trace.x.forEach(function (x, place) {
        var y = trace.y[place];
        if (x < from) { before = trace.mode === 'lines' ? y : null; return; }
        if (x > to) { return; }
        [before, y].forEach(function (one) { if (one !== null) { low = Math.min(low, one); high = Math.max(high, one); } });
        before = null;
      });
      if (before !== null) { low = Math.min(low, before); high = Math.max(high, before); }
    });
    var room = 0.06 * (high - low || Math.abs(high) || 1);
    return low <= high ? [low - room, high + room] : null;
  }
  function follow(source, change) {
    // All charts over time of a run show the same time, each with the values that it has there.
    var from = change['xaxis.range[0]'], range = from !== undefined ? [from, change['xaxis.range[1]']] : change['xaxis.range'];
    if (busy || !range) { return; }
    busy = true;
    var together = drawn.filter(function (one) { return one.element.dataset.time === source.dataset.time; });
    Promise.all(together.map(function (one) {
      var values = reach(one.spec, range), all = one.spec.layout.xaxis.range;
      var isAll = milliseconds(range[0]) <= all[0] && milliseconds(range[1]) >= all[1];
      return Plotly.relayout(one.element, isAll || !values ? { 'xaxis.range': range.slice(), 'yaxis.autorange': true }
                                                           : { 'xaxis.range': range.slice(), 'yaxis.range': values });
    })).finally(function () { busy = false; });
  }
  function queue(elements) {
    if (!elements.length) { return; }
    draw(elements[0]);
    setTimeout(function () { queue(elements.slice(1)); }, 0);
  }
  function visible(element) { return !element.closest('details:not([open])'); }
  function all(within) { return Array.prototype.slice.call(within.querySelectorAll('.chart')); }
  queue(all(document).filter(visible));
  Array.prototype.forEach.call(document.querySelectorAll('details'), function (details) {
    details.addEventListener('toggle', function () { if (details.open) { queue(all(details).filter(visible)); } });
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () {
    drawn.forEach(function (one) { var made = painted(one.spec); Plotly.react(one.element, made.data, made.layout); });
  });
}());
"""
