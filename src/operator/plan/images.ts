// Which image pods run: what the user names, else what they run already, so that a new operator replaces no pod.

import type { Manifest } from './types.ts';

interface WithPods {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] } };
  };
}

/** `found` is the Deployment or StatefulSet as it is, if there is one; `ofOperator` is for those that have none yet. */
export function imageFor(asked: string | undefined, found: Manifest | undefined, container: string, ofOperator: string): string {
  const containers = (found as WithPods | undefined)?.spec?.template?.spec?.containers ?? [];
  return asked ?? containers.find(({ name }) => name === container)?.image ?? ofOperator;
}
