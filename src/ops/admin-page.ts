// The page of the admin server for people: live numbers of one node. One document, nothing from outside, nothing that changes anything.

import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; --line: #8884; --faint: #666; --good: #18794e; --bad: #c62a2f; }
@media (prefers-color-scheme: dark) { :root { --faint: #aaa; --good: #4cc38a; --bad: #ff8589; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .faint { color: var(--faint); } .good { color: var(--good); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--line); border: 1px solid var(--line); }
dl div { background: Canvas; padding: .5rem .8rem; } dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } #cluster .wide { margin-bottom: 1rem; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 500; color: var(--faint); } th:first-child, td:first-child { padding-left: 0; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2), .words th, .words td { text-align: left; } .words table { width: auto; }
@media (max-width: 40rem) { body { margin: 1rem auto; } dl { grid-template-columns: repeat(2, 1fr); } th, td { padding: .25rem .4rem; font-size: .85rem; } }
`;

const script = `
const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const bytes = (n) => { let i = 0; while (n >= 1024 && i < 4) { n /= 1024; i++; } return number.format(n) + ['', ' KiB', ' MiB', ' GiB', ' TiB'][i]; };
const add = (record) => Object.values(record).reduce((a, b) => a + b, 0);
const round = (n) => number.format(n < 100 ? n : Math.round(n));
const percent = (n) => Math.round(n * 100) + ' %';
const zero = { requests: 0, bytesIn: 0, bytesOut: 0, cpu: 0 };
const count = (stats) => ({ bytesIn: stats.bytesIn, bytesOut: stats.bytesOut, cpu: stats.cpuSeconds,
  requests: [...Object.values(stats.commands), ...Object.values(stats.routes)].reduce((n, command) => n + add(command.codes), 0) });
const fill = (id, rows) => element(id).replaceChildren(...rows.map((cells) => {
  const row = document.createElement('tr');
  row.append(...cells.map((cell) => Object.assign(document.createElement('td'), { textContent: String(cell) })));
  return row;
}));
let before;
function show(node) {
  const now = { at: performance.now(), of: node.pid, total: count(node.totals), workers: {} };
  for (const worker of node.workers) now.workers[worker.index] = count(worker.stats);
  // the first look shows averages since the start
  const last = before?.of === now.of ? before : { at: now.at - (Date.now() - Date.parse(node.startedAt)), total: zero, workers: {} };
  const seconds = Math.max(1, now.at - last.at) / 1000;
  const perSecond = (after, former, key) => Math.max(0, after[key] - (former ?? zero)[key]) / seconds;
  const rate = (key) => perSecond(now.total, last.total, key);
  const own = (worker, key) => perSecond(now.workers[worker.index], last.workers[worker.index], key);
  document.title = node.name + ' - kimserver';
  element('name').textContent = node.name + ' (' + node.type + ')';
  element('about').textContent = 'kimserver ' + node.version + ', process ' + node.pid + ', since ' + new Date(node.startedAt).toLocaleString();
  element('state').textContent = '\u25cf ' + node.state + (node.ready ? ', ready' : ', not ready: ' + node.reasons.join('; '));
  element('state').className = node.ready ? 'good' : 'bad';
  const numbers = {
    connections: number.format(node.totals.connections), requests: round(rate('requests')),
    in: bytes(rate('bytesIn')), out: bytes(rate('bytesOut')), flight: number.format(node.totals.inFlight),
    outgoing: bytes(node.totals.outgoingBytes), refused: number.format(add(node.totals.refused) + add(node.manager.refused)),
    restarts: number.format(node.workers.reduce((n, worker) => n + worker.restarts, 0)),
  };
  for (const [id, text] of Object.entries(numbers)) element(id).textContent = text;
  fill('workers', node.workers.map((worker) => [worker.index, worker.state, number.format(worker.stats.connections),
    round(own(worker, 'requests')), percent(own(worker, 'cpu')), bytes(worker.stats.rssBytes),
    number.format(worker.stats.loopLagSeconds * 1000) + ' ms', number.format(worker.stats.inFlight), worker.pid,
    worker.restarts + (worker.lastExit === undefined ? '' : ' (' + worker.lastExit + ')')]));
  fill('listeners', node.listeners.map((listener) => [listener.name, (listener.host.includes(':') ? '[' + listener.host + ']' : listener.host) + ':' + listener.port,
    listener.kind === 'gate' ? 'clients' : 'other nodes', listener.codec]));
  const { members, directories, routes } = node.cluster;
  const { links, leftAlone } = node.totals.cluster;
  element('cluster').hidden = members.length + directories.length + routes.length === 0;
  fill('directories', directories.map((directory) => [directory.name, directory.state, directory.detail]));
  element('directories').className = directories.every((directory) => directory.state === 'up') ? '' : 'bad';
  fill('members', members.map((member) => [member.type, member.state, number.format(member.nodes), number.format(member.workers), member.source]));
  element('links').textContent = number.format(links.up) + ' links up, ' + number.format(links.incoming) + ' incoming, ' +
    number.format(links.inFlight) + ' requests in flight, ' + number.format(links.waiting) + ' waiting, ' + number.format(leftAlone) + ' nodes left alone';
  fill('routes', routes.map(({ route, to }) => {
    const codes = node.totals.routes[route]?.codes ?? {};
    const others = Object.entries(codes).filter(([code]) => code !== '0').map(([code, n]) => code + ': ' + number.format(n));
    return [route, to, number.format(add(codes)), round(Math.max(0, add(codes) - (last.routes?.[route] ?? 0)) / seconds), others.join(', ')];
  }));
  before = { ...now, routes: Object.fromEntries(Object.entries(node.totals.routes).map(([route, { codes }]) => [route, add(codes)])) };
}
async function refresh() {
  try {
    const reply = await fetch('/status', { signal: AbortSignal.timeout(5000) });
    const body = await reply.json();
    if (!reply.ok) throw new Error(body.error);
    show(body);
    element('fresh').textContent = 'Numbers of ' + new Date().toLocaleTimeString();
    element('fresh').className = 'faint';
  } catch (error) {
    element('fresh').textContent = 'The node does not answer: ' + error.message;
    element('fresh').className = 'bad';
  }
  setTimeout(refresh, 2000);
}
refresh();
`;

const numbers = [
  ['connections', 'connections'],
  ['requests', 'requests / s'],
  ['in', 'bytes in / s'],
  ['out', 'bytes out / s'],
  ['flight', 'requests in flight'],
  ['outgoing', 'bytes not yet sent'],
  ['refused', 'connections refused'],
  ['restarts', 'worker restarts'],
]
  .map(([id, name]) => `<div><dt>${name}</dt><dd id="${id}">-</dd></div>`)
  .join('');

const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>kimserver</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body>
<h1 id="name">kimserver</h1>
<p id="state">-</p>
<p class="faint" id="about"></p>
<p class="faint" id="fresh"></p>
<dl>${numbers}</dl>
<h2>Workers</h2>
<div class="wide" role="region" aria-label="Workers" tabindex="0"><table><thead><tr>${head('worker', 'state', 'connections', 'requests / s', 'cpu', 'memory', 'loop lag', 'in flight', 'process', 'restarts')}</tr></thead>
<tbody id="workers"></tbody></table></div>
<h2>Listeners</h2>
<div class="wide words"><table><thead><tr>${head('name', 'address', 'for', 'codec')}</tr></thead><tbody id="listeners"></tbody></table></div>
<section id="cluster" hidden>
<h2>Cluster</h2>
<p class="faint" id="links"></p>
<div class="wide words" role="region" aria-label="Directories" tabindex="0"><table><thead><tr>${head('directory', 'state', 'detail')}</tr></thead><tbody id="directories"></tbody></table></div>
<div class="wide" role="region" aria-label="Members" tabindex="0"><table><thead><tr>${head('members', 'state', 'nodes', 'workers', 'source')}</tr></thead><tbody id="members"></tbody></table></div>
<div class="wide" role="region" aria-label="Routes" tabindex="0"><table><thead><tr>${head('route', 'to', 'replies', 'replies / s', 'other codes')}</tr></thead><tbody id="routes"></tbody></table></div>
</section>
<h2>More</h2>
<p><a href="/status">/status</a> all numbers as JSON, <a href="/metrics">/metrics</a> for Prometheus, <a href="/connections">/connections</a> the connections being served,
<a href="/members">/members</a>, <a href="/links">/links</a> and <a href="/routes">/routes</a> the cluster,
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
      'img-src data:',
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
