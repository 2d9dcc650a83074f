import { stoppedError } from './errors.ts';
import type { Watch } from './ports.ts';

/** Progress of what is done inside of a longer task, which comes first in its name. */
export const during = <W extends Watch>(task: string, watch: W): W => ({
  ...watch,
  progress: (event) => watch.progress({ ...event, task: `${task}: ${event.task}` }),
});

/** Progress of whatever is done, by the name of one task. */
export const asTask = <W extends Watch>(task: string, watch: W): W => ({
  ...watch,
  progress: (event) => watch.progress({ ...event, task }),
});

/** Asks for interrupts as `watch` does, and reports nothing. */
export const quietly = <W extends Watch>(watch: W): W => ({ ...watch, progress: () => undefined });

/** Nobody looks on, and nothing is stopped. */
export const unwatched: Watch = { progress: () => undefined, checkStop: () => undefined };

/** What an AbortSignal says, of any host. */
export interface Signal {
  readonly aborted: boolean;
}

/** Asks a signal for interrupts too. */
export const stoppable = <W extends Watch>(watch: W, signal: Signal | undefined): W =>
  signal === undefined
    ? watch
    : {
        ...watch,
        checkStop: () => {
          watch.checkStop();
          if (signal.aborted) throw stoppedError();
        },
      };
