// Finds the API server: in a cluster by the files of the service account, elsewhere by a kubeconfig. The one import of client-node.

import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import { ChangingFile, type Credentials, type KubeAccess } from './access.ts';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface KubeConfigOptions {
  /** A kubeconfig, or several with colons between them. Without it: the service account in a pod, else KUBECONFIG or ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  /** Which context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder of the service account's files. */
  readonly account?: string;
}

/** Throws one sentence when there is no API server to be found. */
export async function findKube({ kubeconfig, context, env = process.env, account = ACCOUNT }: KubeConfigOptions = {}): Promise<KubeAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (kubeconfig === undefined && context === undefined && host !== undefined && existsSync(join(account, 'token')))
    return inCluster(new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`), account);
  return byKubeconfig(kubeconfig ?? env['KUBECONFIG'], context);
}

/** The kubelet replaces token and certificates while the pod runs. */
async function inCluster(server: URL, account: string): Promise<KubeAccess> {
  const token = new ChangingFile(join(account, 'token'));
  const ca = new ChangingFile(join(account, 'ca.crt'));
  const namespace = await new ChangingFile(join(account, 'namespace')).text();
  return {
    server,
    namespace,
    isInCluster: true,
    credentials: async (refused) => {
      if (refused) token.forget();
      const [bearer, authority] = await Promise.all([token.text(), ca.text()]);
      return { headers: { authorization: `Bearer ${bearer}` }, tls: { ca: authority } };
    },
  };
}

async function byKubeconfig(files: string | undefined, context: string | undefined): Promise<KubeAccess> {
  // loaded only here: it costs 60 to 80 MB of memory, and nothing of it is needed in a pod
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const where = files === undefined ? 'KUBECONFIG or ~/.kube/config' : `"${files}"`;
  try {
    const [first, ...others] = files?.split(':').filter((file) => file !== '') ?? [];
    if (first === undefined) config.loadFromDefault();
    else config.loadFromFile(first);
    for (const file of others) {
      const more = new KubeConfig();
      more.loadFromFile(file);
      config.mergeConfig(more, true);
    }
    if (context !== undefined) config.setCurrentContext(context);
  } catch (error) {
    throw new Error(`cannot read the kubeconfig ${where}: ${(error as Error).message}`, { cause: error });
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    const names = config.getContexts().map(({ name }) => name);
    throw new Error(
      `the kubeconfig ${where} has no cluster for context "${config.getCurrentContext()}"; its contexts are: ${names.join(', ') || 'none'}`,
    );
  }
  const isProxied = cluster.proxyUrl !== undefined;
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    credentials: async () => {
      const asked: RequestOptions = { headers: {} };
      await config.applyToHTTPSOptions(asked);
      return credentialsOf(asked, isProxied);
    },
  };
}

function credentialsOf(
  { headers, auth, agent, ca, cert, key, passphrase, servername, rejectUnauthorized }: RequestOptions,
  isProxied: boolean,
): Credentials {
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const basic: Record<string, string> = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  return {
    headers: { ...Object.fromEntries(given), ...basic },
    tls: { ca: text(ca), cert: text(cert), key: text(key), passphrase, servername, rejectUnauthorized },
    agent: isProxied && typeof agent === 'object' ? agent : undefined,
  };
}

/** What client-node gives for certificates is one text or its bytes. */
function text(pem: unknown): string | undefined {
  if (typeof pem === 'string') return pem;
  return Buffer.isBuffer(pem) ? pem.toString() : undefined;
}
