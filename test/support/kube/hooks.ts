// One cluster for all tests of a file: it starts before the first and goes after the last. Where it can not be, nothing is started. What else is to
// be there before the first test is given as `prepare`: hooks of a file run side by side, so a hook of its own would find no cluster.

import { after, before } from 'node:test';
import { startCluster, useCluster, type OwnCluster, type TestCluster } from './cluster.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { noCluster, noControlPlane, noOwnCluster } from './needs.ts';

type Prepare<T> = (there: T) => Promise<void>;

/** The first start on a machine builds what is not in the cache, maybe after another run has built its own. */
const START_MS = 45 * 60_000;
const END_MS = 2 * 60_000;

/** For tests of the operator: the API and what the controllers make of it; no pod ever runs. Skip by noControlPlane. */
export function controlPlaneOfFile(): () => ControlPlane {
  return ofFile(startControlPlane, noControlPlane);
}

/** For tests from end to end: a new cluster, or the one of KIM_TEST_KUBECONFIG. Skip by noCluster. */
export function clusterOfFile(prepare?: Prepare<TestCluster>): () => TestCluster {
  return ofFile(useCluster, noCluster, prepare);
}

/** For tests that lose nodes or stop the API server: always a new one. Skip by noOwnCluster. */
export function ownClusterOfFile(prepare?: Prepare<OwnCluster>): () => OwnCluster {
  return ofFile(startCluster, noOwnCluster, prepare);
}

function ofFile<T extends AsyncDisposable>(start: () => Promise<T>, skip: string | false, prepare?: Prepare<T>): () => T {
  let started: T | undefined;
  before(
    async () => {
      if (skip !== false) return;
      started = await start();
      await prepare?.(started);
    },
    { timeout: START_MS },
  );
  after(() => started?.[Symbol.asyncDispose](), { timeout: END_MS });
  return () => {
    if (started === undefined) throw new Error(`this test needs a cluster: give it the option skip (${String(skip)})`);
    return started;
  };
}
