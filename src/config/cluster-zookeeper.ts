// A ZooKeeper of a KimCluster's own: how many servers, what they run on, what they keep.

import { hinted, ruled } from './rules.ts';
import { podTemplate } from './cluster-pods.ts';
import { quantity, quantityValue, resources } from './quantities.ts';
import { flag, image, object, objectName } from './shapes.ts';
import { z } from './z.ts';

/** Servers that make a quorum; even numbers bear no more losses than one server less. */
const SIZES = [1, 3, 5];
const sizes = '1, 3 or 5';
const MIN_STORAGE = 64 * 2 ** 20;

const storage = ruled(
  object({
    size: hinted(quantity('1Gi'), {
      rules: [{ rule: 'self == oldSelf', message: 'size can not be changed once the servers have their volumes; make another KimCluster' }],
    }).meta({ description: 'Size of the volume of each server, as 1Gi.' }),
    className: hinted(objectName('a StorageClass'), {
      rules: [
        { rule: 'self == oldSelf', message: 'className can not be changed once the servers have their volumes; make another KimCluster' },
      ],
    })
      .optional()
      .meta({ description: 'StorageClass of the volumes; without it the default one.' }),
    retain: flag().default(false).meta({ description: 'Whether the volumes stay when the KimCluster is deleted.' }),
  }),
  [
    {
      rule: `quantity(string(self.size)).compareTo(quantity('${MIN_STORAGE}')) >= 0`,
      message: 'size is below 64Mi, too little for snapshots and logs; raise it',
      holds: ({ size }) => quantityValue(size) >= MIN_STORAGE,
    },
  ],
  [
    {
      rule: 'has(self.className) == has(oldSelf.className)',
      message: 'className can not be changed once the servers have their volumes; make another KimCluster',
    },
  ],
);

export const managedZookeeper = ruled(
  object({
    replicas: hinted(
      z
        .int({ error: sizes })
        .refine((value) => SIZES.includes(value), { error: sizes })
        .meta({ kubernetes: { schema: { enum: SIZES } } }),
      {
        rules: [
          { rule: 'self == oldSelf', message: 'replicas of a ZooKeeper are fixed when it is made; make another KimCluster, or name hosts' },
        ],
      },
    )
      .default(3)
      .meta({ description: 'Servers of the ensemble that is run for the cluster: 1, 3 or 5, fixed when it is made.' }),
    image: image().optional().meta({ description: 'Image of ZooKeeper; without it the one that the operator was installed with.' }),
    storage: storage.optional().meta({
      description: 'Volumes for the servers. Without it they keep everything in memory of their pods: nodes announce themselves anew.',
    }),
    resources: resources().optional().meta({ description: 'Processors and memory of each server.' }),
    template: podTemplate().optional().meta({ description: 'Fields of the pods of the servers that are handed through.' }),
  }),
  [],
  [
    {
      rule: 'has(self.storage) == has(oldSelf.storage)',
      message: 'storage can not be added or removed once the servers run; make another KimCluster',
    },
  ],
);
