// What every process says of itself, by the names that Prometheus clients give it.

import type { Labels, Meter } from './meter.ts';

const one = (value: number): readonly (readonly [Labels, number])[] => [[{}, value]];

export function addProcessMetrics(meter: Meter): void {
  const startSeconds = performance.timeOrigin / 1000;
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  meter.look('process_cpu_seconds_total', 'Time on a CPU.', () => one(cpuSeconds()), 'counter');
  meter.look('process_resident_memory_bytes', 'Memory in use.', () => one(process.memoryUsage.rss()));
  meter.look('process_start_time_seconds', 'When the process began, since 1970.', () => one(startSeconds));
  const busySeconds = () => performance.eventLoopUtilization().active / 1000;
  meter.look('nodejs_eventloop_active_seconds_total', 'Time in which the event loop did not wait.', () => one(busySeconds()), 'counter');
}
