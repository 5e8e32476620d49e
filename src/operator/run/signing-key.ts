// The key with which the operator signs what it asks of nodes. It lives in one Secret beside the operator; nodes hold its public half.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import { pathOf, type KubeObject } from '../../kube/types.ts';
import { secrets } from './kinds.ts';

const FIELD = 'ed25519.pem';
const TRIES = 5;

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Reads the key, or makes it where the Secret is empty, as the chart leaves it, or not there. Of two operators that start at once one makes it
 * and both use it. Throws one sentence.
 */
export async function signingKey(client: Pick<KubeClient, 'get' | 'request'>, namespace: string, name: string): Promise<KeyObject> {
  for (let tries = 1; ; tries++) {
    const secret = await read(client, namespace, name);
    const text = secret?.data?.[FIELD];
    if (text !== undefined) return parse(text, `${namespace}/${name}`);
    try {
      return await make(client, secret, namespace, name);
    } catch (error) {
      // another one was quicker
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}

async function read(client: Pick<KubeClient, 'get'>, namespace: string, name: string): Promise<Secret | undefined> {
  try {
    return await client.get<Secret>(pathOf(secrets, { namespace, name }));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function make(client: Pick<KubeClient, 'request'>, found: Secret | undefined, namespace: string, name: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const data = { [FIELD]: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64') };
  if (found === undefined) {
    const metadata = { namespace, name, labels: { 'app.kubernetes.io/part-of': 'kimserver' } };
    const body = { apiVersion: secrets.apiVersion, kind: secrets.kind, metadata, type: 'Opaque', data };
    await client.request('POST', pathOf(secrets, { namespace }), { body });
  } else {
    // of this very state of it
    const body = { metadata: { resourceVersion: found.metadata.resourceVersion }, data };
    await client.request('PATCH', pathOf(secrets, { namespace, name }), { body, contentType: 'application/merge-patch+json' });
  }
  return privateKey;
}

function parse(text: string, where: string): KeyObject {
  try {
    const key = createPrivateKey(Buffer.from(text, 'base64'));
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`it is a key of ${String(key.asymmetricKeyType)}`);
    return key;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new Error(`the Secret ${where} has no private key of Ed25519 in ${FIELD} (${why}); empty it, and the operator makes another`, {
      cause,
    });
  }
}
