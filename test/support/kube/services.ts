// Addresses inside a cluster. All test clusters have the same: only their own nodes know what they mean.

export const SERVICES = '10.96.0.0/16';
/** The API server has 10.96.0.1. */
export const DNS = '10.96.0.10';
export const POD_DOMAIN = 'cluster.local';
