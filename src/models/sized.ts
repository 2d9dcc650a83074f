import type { Float32Nd } from '../records/array.ts';
import type { FrameSize } from './frame.ts';

/** Something that is open for one size of image at a time. */
export interface PerSize<T> {
  /** Open for the size of an image, `[height, width, 3]`: as it is, or closed and opened anew. */
  at(intensities: Float32Nd): Promise<T>;
  current(): T | null;
  release(): Promise<void>;
}

/** Images mostly have one size; where they do not, one opening follows another. */
export const openSized = <T>(
  open: (size: FrameSize, first: Float32Nd) => Promise<T>,
  close: (opened: T) => Promise<void>,
): PerSize<T> => {
  let last: { readonly size: FrameSize; readonly opened: T } | null = null;
  const release = async (): Promise<void> => {
    const before = last;
    last = null;
    if (before !== null) await close(before.opened);
  };
  return {
    release,
    current: () => last?.opened ?? null,
    at: async (intensities) => {
      const [height, width] = intensities.shape as readonly [number, number, number];
      const size = { height, width };
      if (last?.size.height === size.height && last.size.width === size.width) return last.opened;
      await release();
      const opened = await open(size, intensities);
      last = { size, opened };
      return opened;
    },
  };
};
