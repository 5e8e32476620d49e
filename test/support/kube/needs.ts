// Whether tests with a real Kubernetes can run on this machine, and what whoever runs them can do about it.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { provide } from '../../../scripts/support/debian.ts';
import { pathOf } from './programs.ts';
import { controlPrograms, nodePrograms, type Program } from './versions.ts';

/** A cluster that tests use instead of one of their own. */
export const givenKubeconfig = process.env['KIM_TEST_KUBECONFIG'] || undefined;

const GO = 'go (1.24 or newer) is missing; install it, or set KIM_CACHE to a folder with programs that were built elsewhere';

/** Why there can be no control plane, or false: for the option `skip` of a test. Nothing is built by asking. */
export const noControlPlane: string | false = whyNoPrograms(controlPrograms);

/** Why charts can not be rendered, or false. */
export const noHelm: string | false = whyNoPrograms(['helm', 'helm3']);

/** Why there can be no cluster with nodes, neither given nor of our own, or false. Asking installs Debian packages where that is possible. */
export const noCluster: string | false = givenKubeconfig === undefined ? whyNoNodes() : whyNoPrograms(['kubectl']);

/** Why nothing can be done to the machines of the cluster (lost nodes, a stopped API server), or false. */
export const noOwnCluster: string | false =
  givenKubeconfig === undefined ? noCluster : 'the cluster of KIM_TEST_KUBECONFIG is left as it is; unset it to run this test too';

function whyNoPrograms(programs: readonly Program[]): string | false {
  if (process.platform !== 'linux') return 'the test cluster needs Linux; set KIM_TEST_KUBECONFIG to use another cluster';
  if (programs.every((program) => existsSync(pathOf(program)))) return false;
  const found = spawnSync('go', ['version'], { encoding: 'utf8' });
  return found.status === 0 ? false : GO;
}

function whyNoNodes(): string | false {
  const noPrograms = whyNoPrograms([...controlPrograms, ...nodePrograms]);
  if (noPrograms !== false) return noPrograms;
  if (process.getuid?.() !== 0) return 'nodes need root; run the tests as root, or set KIM_TEST_KUBECONFIG to use another cluster';
  const missing = provide({
    files: ['containerd', 'runc', 'ip', 'iptables', 'conntrack', '/bin/busybox', '/usr/lib/cni/ptp', '/usr/lib/cni/loopback'],
    packages: ['containerd', 'runc', 'containernetworking-plugins', 'iproute2', 'iptables', 'conntrack', 'busybox-static'],
  });
  if (missing !== undefined) return missing;
  const { status, stderr } = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' });
  if (status !== 0) return `this machine lets nobody make namespaces (${stderr.trim()}); set KIM_TEST_KUBECONFIG to use another cluster`;
  return false;
}
