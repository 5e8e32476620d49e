// The page of the admin server for people: live numbers of one node. One document, nothing from outside, nothing that changes anything.

import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; --line: #8884; --faint: #777; --good: #18794e; --bad: #c62a2f; }
@media (prefers-color-scheme: dark) { :root { --faint: #999; --good: #4cc38a; --bad: #ff8589; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .faint { color: var(--faint); } .good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); }
dl div { background: Canvas; padding: .5rem .8rem; } dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 500; color: var(--faint); } th:first-child, td:first-child { text-align: left; } td.text { text-align: left; }
`;

const script = `
const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const bytes = (n) => { let i = 0; while (n >= 1024 && i < 4) { n /= 1024; i++; } return number.format(n) + ['', ' KiB', ' MiB', ' GiB', ' TiB'][i]; };
const add = (record) => Object.values(record).reduce((a, b) => a + b, 0);
const requests = (stats) => Object.values(stats.commands).reduce((n, command) => n + add(command.codes), 0);
const fill = (id, rows) => element(id).replaceChildren(...rows.map((cells) => {
  const row = document.createElement('tr');
  row.append(...cells.map((cell) => Object.assign(document.createElement('td'), { textContent: String(cell) })));
  return row;
}));
let before;
function show(node) {
  const now = { at: performance.now(), requests: requests(node.totals), bytesIn: node.totals.bytesIn, bytesOut: node.totals.bytesOut };
  const last = before ?? now;
  const rate = (key) => Math.max(0, (now[key] - last[key]) / Math.max(1, now.at - last.at) * 1000);
  document.title = node.name + ' - kimserver';
  element('name').textContent = node.name + ' (' + node.type + ')';
  element('about').textContent = 'kimserver ' + node.version + ', process ' + node.pid + ', since ' + new Date(node.startedAt).toLocaleString();
  element('state').textContent = node.state + (node.ready ? ', ready' : ', not ready: ' + node.reasons.join('; '));
  element('state').className = node.ready ? 'good' : 'bad';
  const numbers = {
    connections: number.format(node.totals.connections), requests: number.format(rate('requests')),
    in: bytes(rate('bytesIn')), out: bytes(rate('bytesOut')), flight: number.format(node.totals.inFlight),
    outgoing: bytes(node.totals.outgoingBytes), refused: number.format(add(node.totals.refused) + add(node.manager.refused)),
    restarts: number.format(node.workers.reduce((n, worker) => n + worker.restarts, 0)),
  };
  for (const [id, text] of Object.entries(numbers)) element(id).textContent = text;
  fill('workers', node.workers.map((worker) => [worker.index, worker.pid, worker.state, number.format(worker.stats.connections),
    number.format(requests(worker.stats)), number.format(worker.stats.inFlight), bytes(worker.stats.rssBytes),
    number.format(worker.stats.cpuSeconds) + ' s', number.format(worker.stats.loopLagSeconds * 1000) + ' ms', worker.restarts]));
  fill('listeners', node.listeners.map((listener) => [listener.name, listener.host + ':' + listener.port, listener.kind, listener.codec]));
  before = now;
}
async function refresh() {
  try {
    const reply = await fetch('/status', { signal: AbortSignal.timeout(5000) });
    const body = await reply.json();
    if (!reply.ok) throw new Error(body.error);
    show(body);
    element('fresh').textContent = 'numbers of ' + new Date().toLocaleTimeString();
  } catch (error) {
    element('fresh').textContent = 'the node does not answer: ' + error.message;
  }
  setTimeout(refresh, 2000);
}
refresh();
`;

const numbers = [
  ['connections', 'connections'],
  ['requests', 'requests per second'],
  ['in', 'bytes in per second'],
  ['out', 'bytes out per second'],
  ['flight', 'requests in flight'],
  ['outgoing', 'outgoing bytes'],
  ['refused', 'connections refused'],
  ['restarts', 'worker restarts'],
]
  .map(([id, name]) => `<div><dt>${name}</dt><dd id="${id}">-</dd></div>`)
  .join('');

const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>kimserver</title><style>${style}</style></head>
<body>
<h1 id="name">kimserver</h1>
<p id="state">-</p>
<p class="faint"><span id="about"></span> <span id="fresh"></span></p>
<dl>${numbers}</dl>
<h2>Workers</h2>
<div class="wide"><table><thead><tr>${head('worker', 'pid', 'state', 'connections', 'requests', 'in flight', 'memory', 'cpu', 'loop lag', 'restarts')}</tr></thead>
<tbody id="workers"></tbody></table></div>
<h2>Listeners</h2>
<div class="wide"><table><thead><tr>${head('name', 'address', 'for', 'codec')}</tr></thead><tbody id="listeners"></tbody></table></div>
<h2>More</h2>
<p><a href="/status">/status</a> all numbers as JSON, <a href="/metrics">/metrics</a> for Prometheus, <a href="/connections">/connections</a> the connections being served,
<a href="/config">/config</a> the configuration in effect, <a href="/readyz">/readyz</a> and <a href="/livez">/livez</a> for probes.</p>
<p class="faint">In a terminal: <code>kim top</code> shows the same. Changes (workers, drain, log level) are POST requests from this machine; see docs/admin.md.</p>
<noscript><p class="bad">The numbers need JavaScript; <a href="/status">/status</a> has them as JSON.</p></noscript>
<script>${script}</script>
</body>
</html>
`;

/** The document, and the headers that let it run its own script and talk to its own server, and nothing else. */
export const adminPage = {
  html,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `script-src '${hash(script)}'`,
      `style-src '${hash(style)}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
  },
} as const;

function head(...names: string[]): string {
  return names.map((name) => `<th>${name}</th>`).join('');
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
