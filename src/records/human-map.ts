import type { Float32Nd } from './array.ts';
import type { Pixels } from './ports.ts';

/** An image, and which of its pixels matter to people. */
export interface HumanMap {
  readonly id: string;
  readonly pixels: Pixels;
  /** Class of the image, from 0; null where the source does not say. */
  readonly label: number | null;
  /** Importance of each pixel over all people, `[height, width]` of the image; only the order of values counts. */
  readonly map: Float32Nd;
  /** A map of each person, for the ceiling; null where only the whole is known. */
  readonly subjects: readonly Float32Nd[] | null;
  /** What a user should know of this one, such as fixations that lie beside the image. */
  readonly warning: string | null;
}

/** Human maps of many images, read one at a time. */
export interface HumanMaps {
  readonly kind: 'clickme' | 'folder' | 'fixations';
  /** File, folder or data set, as the user knows it. */
  readonly name: string;
  /** Null where only reading all of it can tell. */
  readonly count: number | null;
  /** SHA-256 over images, maps and labels (or over the files that hold them). */
  readonly sha256: string;
  /** Whether every map comes with those of single people, two or more somewhere. */
  readonly hasSubjects: boolean;
  readonly warnings: readonly string[];
  /** In a fixed order; may be called again. Input error, naming the file or record, for what cannot be read. */
  read(): AsyncGenerator<HumanMap>;
}
