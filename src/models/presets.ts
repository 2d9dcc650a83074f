import type { Preprocessing } from '../records/model.ts';

const imagenet: Preprocessing = {
  name: 'imagenet-224',
  resize: { kind: 'exact', height: 224, width: 224 },
  crop: null,
  interpolation: 'bilinear',
  library: 'pil',
  channels: 'RGB',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const byPil: readonly Preprocessing[] = [
  imagenet,
  {
    ...imagenet,
    name: 'imagenet-256-crop-224',
    resize: { kind: 'shorter-side', size: 256 },
    crop: { height: 224, width: 224, rounding: 'half-even' },
  },
  // v / 127.5 − 1: the mean is taken after the scale.
  { ...imagenet, name: 'tf-224', scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] },
  {
    ...imagenet,
    name: 'raw',
    resize: { kind: 'none' },
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
];

const presets: readonly Preprocessing[] = [
  ...byPil,
  ...byPil.map((preset): Preprocessing => {
    return { ...preset, name: `${preset.name}-opencv`, library: 'opencv' };
  }),
];

/**
 * Names of the presets. `imagenet-224` and `tf-224` (values −1 … 1) resize straight to 224×224, bilinear and
 * antialiased as PIL does; `imagenet-256-crop-224` makes the shorter side 256 and crops the centre; `raw` leaves the
 * values 0 … 255 and resizes only where the model's size is fixed. `…-opencv` resizes as OpenCV's INTER_LINEAR.
 */
export const presetNames: readonly string[] = presets.map(({ name }) => name);

export const presetNamed = (name: string): Preprocessing | null =>
  presets.find((preset) => preset.name === name) ?? null;
