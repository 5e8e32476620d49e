// What every pod and container of a cluster may do: what the "restricted" level of Kubernetes allows, and less.

/** The user of our image; modules are copied by the same one. */
const OWN_USER = 10_001;

/** For a pod whose images may not say a number for their user. */
export function podSecurity(user = OWN_USER): object {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

/** What the "restricted" level asks of each container; sidecars of users may write to their root. */
const required = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } as const;

/** Volumes that the "restricted" level takes. */
const TAKEN = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'];

type Loose = Readonly<Record<string, unknown>>;

/** A container of the user with the security of the others, but where it says something else itself. */
export function withSecurity<C extends Loose>(container: C): C {
  return { ...container, securityContext: { ...required, ...(container['securityContext'] as Loose | undefined) } };
}

/** What a container of the user asks for that the "restricted" level refuses; undefined if nothing. */
export function weaknessOf(container: Loose): string | undefined {
  const context = (container['securityContext'] ?? {}) as Loose;
  const capabilities = context['capabilities'] as { readonly drop?: readonly string[]; readonly add?: readonly string[] } | undefined;
  if (context['privileged'] === true) return 'privileged';
  if (context['allowPrivilegeEscalation'] === true) return 'allowPrivilegeEscalation';
  if (context['runAsNonRoot'] === false || context['runAsUser'] === 0) return 'root';
  if (capabilities !== undefined && capabilities.drop?.includes('ALL') !== true) return 'capabilities that are not dropped';
  if (capabilities?.add?.some((name) => name !== 'NET_BIND_SERVICE') === true) return 'capabilities';
  const profile = context['seccompProfile'] as { readonly type?: string } | undefined;
  if (profile?.type === 'Unconfined') return 'no seccomp profile';
  const ports = (container['ports'] ?? []) as readonly { readonly hostPort?: number }[];
  return ports.some(({ hostPort = 0 }) => hostPort !== 0) ? 'a port of its machine' : undefined;
}

/** What kind a volume of the user is that the "restricted" level refuses, such as hostPath; undefined if it is taken. */
export function refusedVolume(volume: Loose): string | undefined {
  return Object.keys(volume).find((key) => key !== 'name' && !TAKEN.includes(key));
}
