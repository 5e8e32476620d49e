// The one place that pins what the test cluster is made of, and how Go builds each part of it.

/** One Go module that programs are built from, by a wrapper module of ours that requires it. */
export interface Source {
  readonly module: string;
  readonly version: string;
  /** Modules that live in the same repository and have to come in the same version. */
  readonly replace?: { readonly modules: readonly string[]; readonly version: string };
  /** Strings that the linker puts in: without them clients see a program without a version. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Programs by the package that holds their main. */
  readonly programs: Readonly<Record<string, string>>;
}

const kubernetes = '1.34.4';
const [major, minor, patch] = kubernetes.split('.') as [string, string, string];

const staging = [
  ...['api', 'apiextensions-apiserver', 'apimachinery', 'apiserver', 'cli-runtime', 'client-go', 'cloud-provider', 'cluster-bootstrap'],
  ...['code-generator', 'component-base', 'component-helpers', 'controller-manager', 'cri-api', 'cri-client', 'csi-translation-lib'],
  ...['dynamic-resource-allocation', 'endpointslice', 'externaljwt', 'kms', 'kube-aggregator', 'kube-controller-manager', 'kube-proxy'],
  ...['kube-scheduler', 'kubectl', 'kubelet', 'metrics', 'mount-utils', 'pod-security-admission', 'sample-apiserver'],
  ...['sample-cli-plugin', 'sample-controller'],
];

/** 1.34 is the last line of Kubernetes whose kubelet takes a machine with cgroup v1 as it is. */
export const sources = {
  kubernetes: {
    module: 'k8s.io/kubernetes',
    version: `v${kubernetes}`,
    replace: { modules: staging.map((name) => `k8s.io/${name}`), version: `v0.${minor}.${patch}` },
    variables: {
      'k8s.io/component-base/version.gitVersion': `v${kubernetes}`,
      'k8s.io/component-base/version.gitMajor': major,
      'k8s.io/component-base/version.gitMinor': minor,
    },
    programs: Object.fromEntries(
      ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kubelet', 'kube-proxy'].map((name) => [
        name,
        `k8s.io/kubernetes/cmd/${name}`,
      ]),
    ),
  },
  etcd: { module: 'go.etcd.io/etcd/server/v3', version: 'v3.6.16', programs: { etcd: 'go.etcd.io/etcd/server/v3' } },
  coredns: { module: 'github.com/coredns/coredns', version: 'v1.12.4', programs: { coredns: 'github.com/coredns/coredns' } },
  helm: {
    module: 'helm.sh/helm/v4',
    version: 'v4.2.4',
    variables: { 'helm.sh/helm/v4/internal/version.version': 'v4.2.4' },
    programs: { helm: 'helm.sh/helm/v4/cmd/helm' },
  },
  helm3: {
    module: 'helm.sh/helm/v3',
    version: 'v3.21.4',
    variables: { 'helm.sh/helm/v3/internal/version.version': 'v3.21.4' },
    programs: { helm3: 'helm.sh/helm/v3/cmd/helm' },
  },
  kubeconform: {
    module: 'github.com/yannh/kubeconform',
    version: 'v0.7.0',
    programs: { kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform' },
  },
} as const satisfies Record<string, Source>;

/** Programs that can be asked for. */
export type Program = ControlProgram | NodeProgram | 'helm' | 'helm3' | 'kubeconform';
export type ControlProgram = (typeof controlPrograms)[number];
export type NodeProgram = (typeof nodePrograms)[number];

/** What a control plane needs, kubectl included. */
export const controlPrograms = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'] as const;
/** What nodes need besides what Debian has. */
export const nodePrograms = ['kubelet', 'kube-proxy', 'coredns'] as const;
