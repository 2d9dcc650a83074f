import type { FrameSize } from './frame.ts';

/** Something that is open for one size of image at a time. */
export interface Sized<T> {
  /** Open for this size: as it is, or closed and opened anew. */
  at(size: FrameSize): Promise<T>;
  current(): T | null;
  release(): Promise<void>;
}

/** Images mostly have one size; where they do not, one opening follows another. */
export const openSized = <T>(
  open: (size: FrameSize) => Promise<T>,
  close: (opened: T) => Promise<void>,
): Sized<T> => {
  let last: { readonly size: FrameSize; readonly opened: T } | null = null;
  const release = async (): Promise<void> => {
    const before = last;
    last = null;
    if (before !== null) await close(before.opened);
  };
  return {
    release,
    current: () => last?.opened ?? null,
    at: async (size) => {
      if (last?.size.height === size.height && last.size.width === size.width) return last.opened;
      await release();
      const opened = await open(size);
      last = { size, opened };
      return opened;
    },
  };
};
