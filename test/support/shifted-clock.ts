// A process whose wall clock is wrong, for tests: loaded before everything else (NODE_OPTIONS=--import), it shifts what Date says by
// KIM_TEST_CLOCK_MS milliseconds. Timers and performance.now() go on as they are, as on a machine whose clock was set wrong.

const shift = Number(process.env['KIM_TEST_CLOCK_MS'] ?? 0);
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...given: [] | [number]) {
    // with more than a time it is a date as text or parts, which mean the same everywhere
    if (given.length === 0) super(RealDate.now() + shift);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate as unknown as DateConstructor;
