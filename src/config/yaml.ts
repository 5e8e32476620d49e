// The one place that imports yaml, the library that reads YAML and knows on which line everything stands.
export { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, stringify } from 'yaml';
export type { Document, Node } from 'yaml';
