// Short ways to say what most tests of the configuration say.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseCluster, type ParsedCluster } from '../../../src/config/cluster.ts';
import { ConfigError, type Problem } from '../../../src/config/error.ts';
import { parseNodeConfig, type ParsedNodeConfig } from '../../../src/config/node-config.ts';

/** The least that a node needs. */
export const minimal = { node_type: 'gate', gate_host: '127.0.0.1', gate_port: 3355 };

/** Parses the least that a node needs, and `more`. */
export function parse(more: Record<string, unknown> = {}): ParsedNodeConfig {
  return parseNodeConfig({ ...minimal, ...more }, 'test.json');
}

/** What `act` is refused for. */
export function problemsOf(act: () => unknown): readonly Problem[] {
  return refused(act).problems;
}

/** The error that `act` is refused with. */
export function refused(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error;
  }
  assert.fail('nothing was refused');
}

/** The sentences that the least that a node needs, and `more`, is refused for. */
export function messagesOf(more: Record<string, unknown>): string[] {
  return problemsOf(() => parse(more)).map(({ message }) => message);
}

/** A file with this text, gone after the test. */
export function fileOf(t: TestContext, text: string, name = 'config.json'): string {
  const folder = mkdtempSync(join(tmpdir(), 'kim-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const HEAD = `apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: demo }
spec:
`;
/** The line on which what `cluster` is given begins. */
export const FIRST_LINE = 5;

/** Parses a KimCluster with this under `spec:`, which must be indented. */
export function cluster(spec: string): ParsedCluster {
  return parseCluster(HEAD + spec, 'test.yaml');
}

/** Problems of a KimCluster as "line: message". */
export function clusterProblems(spec: string): string[] {
  return problemsOf(() => cluster(spec)).map(({ line, message }) => `${line}: ${message}`);
}
