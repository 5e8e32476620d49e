// A chat: clients log in, join rooms, and get what is said there. Runs as it is, with "kim up" and in Kubernetes.

import { defineModule } from 'kimserver';

const LOGIN = 1201;
const JOIN = 1203;
const SAY = 1205;
const WHISPER = 1207;
/** Pushed to everybody in a room, or to the one who is whispered to: {"room", "from", "text"}. */
const SAID = 1211;

/** @type {import('kimserver').ModuleHost} */
let host;

export default defineModule({
  name: 'chat',
  start(started) {
    host = started;
  },
  commands: {
    // data: the name; a second login takes the place of the first
    [LOGIN]: async (data, { client, session }) => {
      const name = data.toString();
      const result = await client.bind(name);
      if (result !== 'refused') session.set('name', name);
      return result;
    },
    // data: the room
    [JOIN]: (data, { client }) => client.join(`room:${data}`),
    // data: {"room", "text"}
    [SAY]: async (data, { session }) => {
      const { room, text } = JSON.parse(data.toString());
      const from = session.get('name') ?? 'somebody';
      const { delivered } = await host.group(`room:${room}`).push(SAID, JSON.stringify({ room, from, text }));
      return String(delivered);
    },
    // data: {"to", "text"}
    [WHISPER]: (data, { session }) => {
      const { to, text } = JSON.parse(data.toString());
      const from = session.get('name') ?? 'somebody';
      return host.push(to, SAID, JSON.stringify({ from, text }));
    },
  },
});
