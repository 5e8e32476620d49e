// Numbers that peers in the field switch on: commands and codes of the original, written down a second time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault, faultByCode, faults, type FaultName } from '../../../src/errors.ts';
import { commands, FIRST_CLIENT_COMMAND } from '../../../src/wire/commands.ts';
import { codecByName } from '../../../src/wire/codecs/index.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';

/** co_kimserver's error.h, with the two codes that only its first version had. */
const CODES: Record<FaultName, number> = {
  ok: 0,
  failed: 1,
  invalidMessage: 2,
  invalidWorker: 3,
  unknownCommand: 4,
  invalidParams: 5,
  invalidConnection: 6,
  sendFailed: 7,
  encodeFailed: 8,
  invalidProcess: 9,
  invalidPacket: 10,
  invalidResponse: 11,
  transferFailed: 12,
  transferDone: 13,
  connectFailed: 14,
  noNode: 15,
  noConnection: 16,
  readFailed: 17,
  timeout: 18,
  decodeFailed: 19,
  closed: 20,
  databaseExit: 21,
  commandStep: 101,
  commandTimeout: 102,
  redisConnectFailed: 11001,
  redisDisconnect: 11002,
  redisReadFailed: 11003,
  redisWriteFailed: 11004,
  redisNoConnection: 11005,
  redisOverLimit: 11006,
  redisCleared: 11007,
  redisAppendFailed: 11008,
  redisReplyFailed: 11009,
  mysqlFailed: 12001,
  mysqlConnection: 12002,
  mysqlInvalidQuery: 12003,
  mysqlQueryFailed: 12004,
  mysqlExecFailed: 12005,
  mysqlNoNode: 12006,
  mysqlOverLimit: 12007,
  mysqlTimeout: 12008,
  mysqlConnectFailed: 12009,
};

test('every code of the original has its fault, and every fault its code', () => {
  assert.deepEqual(Object.fromEntries(Object.entries(faults).map(([name, { code }]) => [name, code])), CODES);
});

test('no two faults share a code, and a code finds its fault', () => {
  const codes = Object.values(CODES);
  assert.equal(new Set(codes).size, codes.length);
  for (const [name, code] of Object.entries(CODES)) assert.equal(faultByCode(code)?.name, name);
  assert.equal(faultByCode(22), undefined);
  assert.equal(faultByCode(-1), undefined);
});

test('the texts that clients of the original know are word for word', () => {
  assert.equal(faults.ok.text, 'ok');
  assert.equal(faults.unknownCommand.text, 'invalid cmd!');
  assert.equal(faults.invalidWorker.text, 'invalid worker index!');
  assert.equal(faults.redisWriteFailed.text, 'write redis failed!');
  assert.equal(faults.redisReadFailed.text, 'read redis failed!');
});

test('a fault carries its code and its own text, or that of the table', () => {
  const plain = new Fault('timeout');
  assert.deepEqual([plain.code, plain.message, plain.fault, plain.name], [18, faults.timeout.text, 'timeout', 'Fault']);
  const cause = new Error('below');
  const own = new Fault('invalidParams', 'age is -1', { cause });
  assert.deepEqual([own.code, own.message, own.cause], [5, 'age is -1', cause]);
});

test('system commands have the numbers of the original, all of them odd and below 999', () => {
  assert.deepEqual(commands, {
    connectToWorker: 21,
    tellWorker: 23,
    describe: 25,
    heartbeat: 31,
    addNode: 41,
    deleteNode: 43,
    syncNodes: 45,
    registerNode: 47,
    updatePayload: 49,
  });
  for (const number of Object.values(commands)) assert.ok(number % 2 === 1 && number < 999);
});

test('with the protobuf codec clients may send 1000 and more', () => {
  assert.equal(FIRST_CLIENT_COMMAND, 1000);
  for (const [cmd, may] of [
    [0, false],
    [21, false],
    [31, false],
    [101, false],
    [999, false],
    [1000, true],
    [1001, true],
    [0xffffffff, true],
  ] as const) {
    assert.equal(protobufCodec.isClientCommand(cmd), may, String(cmd));
    assert.equal(protobufCodec.hasReply(cmd), true);
  }
});

test('a codec is found by its name, and an unknown name is answered with those that exist', () => {
  assert.equal(codecByName('protobuf'), protobufCodec);
  assert.throws(() => codecByName('protobuff'), /^Error: unknown codec "protobuff"; there is: protobuf$/);
});
