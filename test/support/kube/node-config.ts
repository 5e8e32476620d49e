// What containerd, its network plugins and the kubelet of a node are told, so that two of each fit onto one machine.

import { join } from 'node:path';
import { PAUSE } from './images.ts';
import { DNS, POD_DOMAIN } from './services.ts';
import type { NodeNames } from './slot.ts';

export function containerdConfig({ folder }: NodeNames): string {
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/run"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  disable_apparmor = true
  # root in a container may not lower the score, and every pod would die of it
  restrict_oom_score_adj = true
  stream_server_port = "0"
  # pods' namespaces are found by the folder they are mounted in
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "${folder}/runc"
`;
}

/** ptp routes the traffic of every pod, so it passes the rules of the node that know Services, and keeps its source address. */
export function networkConfig({ name, pods, folder }: NodeNames) {
  const ipam = { type: 'host-local', dataDir: join(folder, 'addresses'), ranges: [[{ subnet: pods }]], routes: [{ dst: '0.0.0.0/0' }] };
  return { cniVersion: '0.4.0', name, plugins: [{ type: 'ptp', ipMasq: false, ipam }] };
}

export function kubeletConfig({ name, folder }: NodeNames) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${name}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // the disk is the machine's: how full it is says nothing about this node
    evictionHard: {},
    imageMinimumGCAge: '100h',
    clusterDNS: [DNS],
    clusterDomain: POD_DOMAIN,
    resolvConf: join(folder, 'resolv.conf'),
    podLogsDir: join(folder, 'logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    nodeStatusUpdateFrequency: '4s',
    nodeLeaseDurationSeconds: 20,
  };
}
