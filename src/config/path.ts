// Paths of values in a configuration, as steps and as text.

export type Path = readonly PropertyKey[];

/** `spec.gate.listeners[0].port`. */
export function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** What stands at a path inside a value; undefined where there is nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((object, step) => (object as Record<PropertyKey, unknown> | undefined | null)?.[step], value);
}
