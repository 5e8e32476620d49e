// What the tests of a cluster ask of users and groups: each command does one thing and answers with its result.

import { defineModule, type ModuleHost } from '../../../src/route/module.ts';
import type { Client } from '../../../src/session/client.ts';

let host: ModuleHost;
const known = new Map<string, Client>();

/** "first the rest" */
function halves(data: Buffer): [string, string] {
  const text = data.toString();
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}

export default defineModule({
  name: 'social',
  start: (given) => {
    host = given;
  },
  commands: {
    4001: (data, ctx) => ctx.client.bind(data.toString()),
    4003: async (data) => {
      const [user, text] = halves(data);
      return host.push(user, 5001, text);
    },
    4005: (data, ctx) => ctx.client.join(data.toString()),
    4007: async (data) => {
      const [group, text] = halves(data);
      return JSON.stringify(await host.group(group).push(5003, text));
    },
    4009: async (data) => JSON.stringify(await host.broadcast(5005, data)),
    4011: async (data) => host.kick(data.toString(), 'go away', 7),
    4013: (_data, ctx) => ctx.client.userId,
    // a push for each character of the data, before the reply
    4015: (data, ctx) => {
      for (const letter of data.toString()) ctx.client.push(5007, letter);
      return String(ctx.client.isConnected);
    },
    4017: (_data, ctx) => ctx.client.unbind(),
    4019: (data, ctx) => ctx.client.leave(data.toString()),
    // keeps the client under a name, and speaks to it later
    4021: (data, ctx) => void known.set(data.toString(), ctx.client),
    4023: (data) => {
      const [name, text] = halves(data);
      return String(known.get(name)?.push(5009, text));
    },
  },
});
