// The status of a KimCluster, as the operator writes it.

import type { z } from '../config/z.ts';
import type { statusSchema } from './crd/status-schema.ts';

export type KimClusterStatus = z.input<typeof statusSchema>;
export type TierStatus = NonNullable<KimClusterStatus['gate']>;
export type Condition = NonNullable<KimClusterStatus['conditions']>[number];
export type Draining = TierStatus['draining'][number];
export type DrainCause = NonNullable<Draining['cause']>;

/** Conditions that are always there, in the order in which people want to read them. */
export const conditionTypes = ['Ready', 'Available', 'Progressing', 'Degraded', 'ConfigValid', 'Paused', 'DiscoveryHealthy'] as const;
export type ConditionType = (typeof conditionTypes)[number];
