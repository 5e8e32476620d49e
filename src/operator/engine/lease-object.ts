// The Lease object at the API server: read, made, and replaced only if it is as it was read.

import type { KubeClient, RequestOptions } from '../../kube/client.ts';
import { isNotFound } from '../../kube/error.ts';
import { pathOf, type Kind, type KubeObject } from '../../kube/types.ts';

export interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly acquireTime?: string | null;
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number | null;
}

export type LeaseObject = KubeObject & { readonly spec: LeaseSpec };

type Limits = Pick<RequestOptions, 'timeoutMs' | 'signal'>;

const leases: Kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };

export class LeaseAtServer {
  readonly #client: Pick<KubeClient, 'get' | 'request'>;
  readonly #place: { readonly namespace: string; readonly name: string };

  constructor(client: Pick<KubeClient, 'get' | 'request'>, place: { readonly namespace: string; readonly name: string }) {
    this.#client = client;
    this.#place = place;
  }

  async get(limits: Limits): Promise<LeaseObject | undefined> {
    try {
      return await this.#client.get<LeaseObject>(pathOf(leases, this.#place), limits);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Refused when there is one. */
  create(spec: LeaseSpec, limits: Limits): Promise<LeaseObject> {
    const { namespace, name } = this.#place;
    const body = { apiVersion: leases.apiVersion, kind: leases.kind, metadata: { name, namespace }, spec };
    return this.#client.request('POST', pathOf(leases, { namespace }), { body, ...limits });
  }

  /** With the version in it: refused if anybody changed it meanwhile. */
  replace(lease: LeaseObject, spec: LeaseSpec, limits: Limits): Promise<LeaseObject> {
    return this.#client.request('PUT', pathOf(leases, this.#place), { body: { ...lease, spec }, ...limits });
  }
}
