/** A clock that a test moves. */
export interface FakeClock {
  readonly now: () => number;
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** Lets time pass, and runs each timer at its time. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** The clock shows another time; timers do not run, as while a machine sleeps. */
  readonly jump: (milliseconds: number) => void;
  /** Number of timers that wait. */
  readonly waiting: () => number;
  /** Milliseconds of the longest timer that was ever started. */
  readonly longest: () => number;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export function startFakeClock(start: number): FakeClock {
  let [time, longest] = [start, 0];
  const timers = new Set<Timer>();
  const next = (until: number): Timer | undefined =>
    [...timers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
  return {
    now: () => time,
    after: (milliseconds, run) => {
      const timer = { at: time + milliseconds, run };
      longest = Math.max(longest, milliseconds);
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass: async (milliseconds) => {
      const until = time + milliseconds;
      for (let timer = next(until); timer; timer = next(until)) {
        timers.delete(timer);
        time = Math.max(time, timer.at);
        timer.run();
        await settled();
      }
      time = until;
      await settled();
    },
    jump: (milliseconds) => {
      time += milliseconds;
    },
    waiting: () => timers.size,
    longest: () => longest,
  };
}

/** Until all promises that are settled already have been followed. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}
