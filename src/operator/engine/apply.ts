// Makes objects be what we want: server-side apply, only when something differs, never over what is not ours, and always saying what it found.

import type { KubeClient } from '../../kube/client.ts';
import { isConflict, isNotFound } from '../../kube/error.ts';
import { isSame } from '../../kube/json.ts';
import { controllerOf, keyOf, kindName, pathOf, type Kind, type KubeObject } from '../../kube/types.ts';
import type { Clock } from '../../kube/clock.ts';
import { ContestedError, FieldConflictError, ForeignObjectError } from './apply-errors.ts';
import { covers, digest } from './compare.ts';
import { Fights } from './fights.ts';
import { conflictsOf, keepOwnership, lastOther, ownDigest, type FieldConflict } from './ownership.ts';
import type { StaleGuard } from './stale-guard.ts';
import type { Store } from './store.ts';

/** The name that our fields are owned by. It never changes: another name would orphan them. */
export const FIELD_MANAGER = 'kimserver-operator';
/** On each object: what was applied last, so that an unchanged one is recognised after a restart. */
const MARK = 'kimserver.io/applied';

export interface Applied<T> {
  /** corrected: somebody else had changed what we want. leaving: it is being deleted, and nothing was written. */
  readonly what: 'same' | 'created' | 'changed' | 'corrected' | 'leaving';
  readonly object: T;
  /** Fields that others had set, and that are ours now. */
  readonly conflicts: readonly FieldConflict[];
  /** Of what was corrected: who changed it, if that can be told. */
  readonly by?: string | undefined;
}

export interface ApplyOptions {
  /** The key that is being reconciled. */
  readonly key: string;
  /** Whether an object that nobody controls may become ours; default: no. */
  readonly mayAdopt?: (there: KubeObject) => boolean;
  /** Whether a field of an object that is ours may be taken from another manager; default: yes. */
  readonly mayForce?: (conflict: FieldConflict) => boolean;
  /** What a read of a moment ago found, for what the copy does not have; null: nothing. Without it the API server is asked. */
  readonly read?: KubeObject | null;
  readonly signal?: AbortSignal;
}

export { FieldConflictError, ForeignObjectError };

interface Known {
  readonly uid: string | undefined;
  /** Of what was wanted. */
  readonly mark: string;
  /** Of the fields that it made ours. */
  readonly fields: string | undefined;
}

interface ApplierOptions {
  readonly client: Pick<KubeClient, 'get' | 'request'>;
  readonly store: Store;
  readonly guard: StaleGuard;
  readonly clock: Clock;
  /** All kinds that may be applied. */
  readonly kinds: readonly Kind[];
  readonly applied?: (kind: Kind, result: Applied<KubeObject>) => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #known = new Map<string, Known>();
  readonly #fights: Fights;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kindName(kind), kind]));
    this.#fights = new Fights(options.clock);
    options.store.listen((kind, { key, after }) => {
      if (after !== undefined) return;
      this.#known.delete(`${kindName(kind)} ${key}`);
      this.#fights.forget(`${kindName(kind)} ${key}`);
    });
  }

  /** What is wanted is remembered by its object: do not change that afterwards. Throws ForeignObjectError, FieldConflictError, ContestedError or KubeError. */
  async apply<T extends KubeObject>(wanted: T, options: ApplyOptions): Promise<Applied<T>> {
    const kind = this.#kindOf(wanted);
    const id = `${kindName(kind)} ${keyOf(wanted)}`;
    const mark = markOf(wanted);
    const there = this.#options.store.get<T>(kind, keyOf(wanted)) ?? (await this.#look<T>(kind, wanted, options));
    if (there?.metadata.deletionTimestamp !== undefined) return { what: 'leaving', object: there, conflicts: [] };
    if (there !== undefined) mustBeOurs(there, wanted, options);
    const known = this.#known.get(id);
    if (there !== undefined && isAsWanted(there, wanted, mark, known)) {
      this.#known.set(id, { uid: there.metadata.uid, mark, fields: ownDigest(there, FIELD_MANAGER) });
      return { what: 'same', object: there, conflicts: [] };
    }
    if (there?.metadata.annotations?.[MARK] === mark) this.#mustNotFight(id, there);
    const { object, conflicts } = await this.#send(kind, withMark(wanted, mark), there, options);
    this.#known.set(id, { uid: object.metadata.uid, mark, fields: ownDigest(object, FIELD_MANAGER) });
    this.#options.guard.wrote(options.key, kind, object);
    const result = { what: whatHappened(there, object, mark), object, conflicts };
    const told = result.what === 'corrected' ? { ...result, by: lastOther(there!, FIELD_MANAGER) } : result;
    if (result.what === 'corrected') this.#fights.corrected(id);
    this.#options.applied?.(kind, told);
    return told;
  }

  #mustNotFight(id: string, there: KubeObject): void {
    const waitMs = this.#fights.waitMs(id);
    if (waitMs === 0) return;
    const who = lastOther(there, FIELD_MANAGER) ?? 'somebody';
    const what = `${there.kind} ${keyOf(there)} is changed by "${who}" again and again`;
    throw new ContestedError(`${what}; it is put right in ${Math.ceil(waitMs / 1000)} s, stop "${who}" or leave the object to it`);
  }

  /** Writes the status of an object that we have a copy of, if it differs. Returns whether it was written. */
  async applyStatus(object: KubeObject, status: object, { key, signal }: Pick<ApplyOptions, 'key' | 'signal'>): Promise<boolean> {
    const kind = this.#kindOf(object);
    const there = this.#options.store.get<KubeObject & { status?: object }>(kind, keyOf(object));
    if (there === undefined || isSame(there.status ?? {}, status)) return false;
    const { apiVersion, kind: name, metadata } = object;
    const body = { apiVersion, kind: name, metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid }, status };
    try {
      const written = await this.#patch<KubeObject>(
        pathOf(kind, { ...metadata, part: 'status' }),
        body,
        `${FIELD_MANAGER}-status`,
        true,
        signal,
      );
      this.#options.guard.wrote(key, kind, written);
      return true;
    } catch (error) {
      // it went while we looked at it
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Removes this very object; one that is gone or was made anew meanwhile is left alone. */
  async remove(object: KubeObject, { key, signal }: Pick<ApplyOptions, 'key' | 'signal'>): Promise<void> {
    const kind = this.#kindOf(object);
    if (object.metadata.deletionTimestamp !== undefined) return;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions: { uid: object.metadata.uid } };
    try {
      await this.#options.client.request('DELETE', pathOf(kind, object.metadata), { body, signal });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    this.#known.delete(`${kindName(kind)} ${keyOf(object)}`);
    this.#options.guard.removed(key, kind, object);
  }

  #kindOf(object: KubeObject): Kind {
    const kind = this.#kinds.get(kindName(object));
    if (kind === undefined) throw new Error(`cannot apply ${kindName(object)}: known kinds are ${[...this.#kinds.keys()].join(', ')}`);
    return kind;
  }

  /** What is not among those that we watch may be there all the same, and somebody else's. */
  async #look<T extends KubeObject>(kind: Kind, wanted: KubeObject, { read, signal }: ApplyOptions): Promise<T | undefined> {
    if (read !== undefined) return read === null ? undefined : keepOwnership(read as T, FIELD_MANAGER);
    try {
      return keepOwnership(await this.#options.client.get<T>(pathOf(kind, wanted.metadata), { signal }), FIELD_MANAGER);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** First without force, to learn who else wants these fields. */
  async #send<T extends KubeObject>(
    kind: Kind,
    wanted: T,
    there: T | undefined,
    { mayForce = () => true, signal }: ApplyOptions,
  ): Promise<{ object: T; conflicts: readonly FieldConflict[] }> {
    const path = pathOf(kind, wanted.metadata);
    // with the uid it is this very object or none
    const body = { ...wanted, metadata: { ...wanted.metadata, uid: there?.metadata.uid } };
    try {
      return { object: await this.#patch<T>(path, body, FIELD_MANAGER, false, signal), conflicts: [] };
    } catch (error) {
      const conflicts = isConflict(error) ? conflictsOf(error.causes) : [];
      if (conflicts.length === 0) throw error;
      // what nobody had a moment ago is somebody else's now: the next look finds out whose
      const held = conflicts.filter((conflict) => there === undefined || !mayForce(conflict));
      if (held.length > 0) throw new FieldConflictError(`cannot apply ${wanted.kind} ${keyOf(wanted)}`, held);
      return { object: await this.#patch<T>(path, body, FIELD_MANAGER, true, signal), conflicts };
    }
  }

  async #patch<T extends KubeObject>(
    path: string,
    body: object,
    fieldManager: string,
    force: boolean,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const query = { fieldManager, force, fieldValidation: 'Strict' };
    const contentType = 'application/apply-patch+yaml';
    return keepOwnership(await this.#options.client.request<T>('PATCH', path, { query, body, contentType, signal }), FIELD_MANAGER);
  }
}

/** Of objects that are made once and wanted again and again. */
const marks = new WeakMap<KubeObject, string>();

function markOf(wanted: KubeObject): string {
  const mark = marks.get(wanted) ?? digest(wanted);
  marks.set(wanted, mark);
  return mark;
}

function isAsWanted(there: KubeObject, wanted: KubeObject, mark: string, known: Known | undefined): boolean {
  if (there.metadata.annotations?.[MARK] !== mark) return false;
  // once we know which fields are ours, who owns them tells more than their values: the server writes some in its own way
  if (known?.mark === mark && known.uid === there.metadata.uid && known.fields !== undefined)
    return known.fields === ownDigest(there, FIELD_MANAGER);
  return covers(there, wanted);
}

function whatHappened(there: KubeObject | undefined, object: KubeObject, mark: string): Applied<unknown>['what'] {
  if (there === undefined) return 'created';
  if (there.metadata.resourceVersion === object.metadata.resourceVersion) return 'same';
  return there.metadata.annotations?.[MARK] === mark ? 'corrected' : 'changed';
}

/** Ours is what has the same controller as what we want. */
function mustBeOurs(there: KubeObject, wanted: KubeObject, { mayAdopt = () => false }: ApplyOptions): void {
  const [owner, ours] = [controllerOf(there), controllerOf(wanted)];
  if (owner?.uid === ours?.uid && (owner !== undefined || there.metadata.annotations?.[MARK] !== undefined)) return;
  const what = `${there.kind} ${keyOf(there)}`;
  if (owner !== undefined) throw new ForeignObjectError(`${what} belongs to ${owner.kind} "${owner.name}"; rename one of the two`);
  if (!mayAdopt(there))
    throw new ForeignObjectError(`${what} is there already and belongs to nobody; remove it, or allow that it is adopted`);
}

function withMark<T extends KubeObject>(object: T, mark: string): T {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [MARK]: mark } } };
}
