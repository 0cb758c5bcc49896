"""What the page does: draw its charts in the colours of the scheme, when they are first seen, and let those of one run zoom together.

`drawn` of the document's element counts the charts that are there, `error` holds a script's error: tests look at both.
"""

SCRIPT = """
(function () {
  'use strict';
  var root = document.documentElement, drawn = [], busy = false;
  root.dataset.drawn = '0';
  window.addEventListener('error', function (event) { root.dataset.error = event.message; });
  document.addEventListener('securitypolicyviolation', function (event) { root.dataset.error = event.violatedDirective + ' ' + event.blockedURI; });
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
      return isNamed ? value.map(function (one) { return paint(one, colours); }) : value;
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
    Plotly.newPlot(element, made.data, made.layout, { responsive: true, displaylogo: false, displayModeBar: false });
    drawn.push({ element: element, spec: spec });
    root.dataset.drawn = String(drawn.length);
    if (element.dataset.time) { element.on('plotly_relayout', function (change) { follow(element, change); }); }
  }
  function follow(source, change) {
    var range = change['xaxis.range[0]'] !== undefined ? [change['xaxis.range[0]'], change['xaxis.range[1]']] : null;
    if (busy || !(range || change['xaxis.autorange'])) { return; }
    busy = true;
    var others = drawn.filter(function (one) { return one.element !== source && one.element.dataset.time === source.dataset.time; });
    Promise.all(others.map(function (one) {
      return Plotly.relayout(one.element, range ? { 'xaxis.range': range } : { 'xaxis.range': one.spec.layout.xaxis.range.slice() });
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
