import type { ProgressEvent } from '../records/ports.ts';
import { durationText } from '../report/table.ts';

/** Where progress is written: a terminal line that is rewritten, or plain lines now and then. */
export interface ProgressSink {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly write: (text: string) => void;
  readonly now: () => number;
}

export interface ProgressPrinter {
  readonly report: (event: ProgressEvent) => void;
  /** Clears the line of a terminal where one is shown, before other output. */
  readonly clear: () => void;
}

/** What a sink is on this standard error: a terminal that cannot go back on its line (`TERM=dumb`) gets plain lines. */
export const terminalOf = (
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  term: string | undefined,
): Pick<ProgressSink, 'isTerminal' | 'columns'> => ({
  isTerminal: stream.isTTY === true && term !== 'dumb',
  // A terminal that does not know its width says 0.
  columns: stream.columns || 80,
});

/** As much of a standard stream as is needed to write to it. */
export interface Writable {
  write: (...args: never[]) => boolean;
}

/**
 * Has `clear` called before anything is written to one of the streams, whoever writes it, so that nothing stands behind
 * a line of progress. Returns what ends this.
 */
export const clearBefore = (streams: readonly Writable[], clear: () => void): (() => void) => {
  const undo = streams.map((stream) => {
    const { write } = stream;
    stream.write = (...args) => {
      clear();
      return write.apply(stream, args);
    };
    return () => {
      stream.write = write;
    };
  });
  return () => {
    for (const each of undo) each();
  };
};

const terminalEvery = 100;
const plainEvery = 10_000;

/** One line for an event: steps, share, rate, time left, measured since the task began. */
export const progressLine = (
  event: ProgressEvent,
  doneAtStart: number,
  milliseconds: number,
): string => {
  const { task, done, total, unit } = event;
  const seconds = milliseconds / 1000;
  const rate = seconds > 0 ? (done - doneAtStart) / seconds : 0;
  const speed = rate > 0 ? `, ${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} ${unit}/s` : '';
  if (total === null) return `${task}: ${done} ${unit}${speed}`;
  const share = Math.floor((100 * done) / total);
  const pace =
    rate > 0 && done < total ? `${speed}, ${durationText((total - done) / rate)} left` : '';
  return `${task}: ${done}/${total} ${unit} (${share} %)${pace}`;
};

/** Prints at most ten times a second on a terminal, every ten seconds elsewhere. */
export const createProgressPrinter = (sink: ProgressSink): ProgressPrinter => {
  let task = '';
  let startedAt = 0;
  let doneAtStart = 0;
  let isShown = false;
  // A terminal shows the first event at once; plain lines begin when the first interval has passed.
  let shownAt = sink.isTerminal ? Number.NEGATIVE_INFINITY : sink.now();
  const begin = (event: ProgressEvent): void => {
    task = event.task;
    startedAt = sink.now();
    doneAtStart = event.done;
  };
  return {
    report: (event) => {
      if (event.task !== task || event.done < doneAtStart) begin(event);
      const time = sink.now();
      if (time - shownAt < (sink.isTerminal ? terminalEvery : plainEvery)) return;
      shownAt = time;
      isShown = sink.isTerminal;
      const line = progressLine(event, doneAtStart, time - startedAt);
      sink.write(sink.isTerminal ? `\r\u001b[2K${line.slice(0, sink.columns - 1)}` : `${line}\n`);
    },
    clear: () => {
      if (isShown) sink.write('\r\u001b[2K');
      isShown = false;
    },
  };
};
