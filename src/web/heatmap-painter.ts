import type { HeatmapColumns } from './heatmap-columns.js';
import { BUBBLE_FRAGMENT, BUBBLE_VERTEX, FIELD_FRAGMENT, FIELD_VERTEX } from './heatmap-shaders.js';
import { baseBucket, TEXEL_FACTS, TEXEL_FLOATS, TEXEL_ROWS, writeTexels } from './heatmap-texels.js';

/** Farther from the origin a float no longer holds a bucket and its fractions. */
const FROM_ORIGIN_MAX = 1 << 20;
const TEXELS = TEXEL_FACTS + TEXEL_ROWS;
/** Diameters of bubbles in CSS px: the largest in view, and the least that is drawn. */
const BUBBLE_PX_MAX = 26;
const BUBBLE_PX_MIN = 2.5;
const LINE_PX = 0.75;
const BUBBLE_FLOATS = 4;

/** What is to be drawn of the columns. Sizes are CSS px. */
export interface HeatmapFrame {
  readonly columns: HeatmapColumns;
  /** The column at the right edge, closed. */
  readonly end: number;
  /** Lowest bucket in view; may lie between two. */
  readonly low: number;
  readonly rowPx: number;
  /** Quantities at which colour begins and is full. */
  readonly dark: number;
  readonly full: number;
}

type Rgb = readonly [number, number, number];

/** The colours of a theme. */
export interface HeatmapColours {
  readonly ground: Rgb;
  readonly untold: Rgb;
  readonly broken: Rgb;
  readonly bid: Rgb;
  readonly ask: Rgb;
  readonly bright: Rgb;
}

/**
 * Draws the heatmap. The texture is a ring of columns: a column is uploaded once, when it is complete; scrolling and
 * zooming change a few numbers only. A lost context is made again when the browser gives it back.
 */
export class HeatmapPainter {
  readonly #canvas: HTMLCanvasElement;
  #gl: WebGL2RenderingContext | null;
  #drawing: Drawing | null = null;
  #colours: HeatmapColours;

  /** `gl` of the canvas; see `canPaint`. */
  constructor(canvas: HTMLCanvasElement, colours: HeatmapColours) {
    this.#canvas = canvas;
    this.#colours = colours;
    this.#gl = canvas.getContext('webgl2', { alpha: false, antialias: false, depth: false });
    canvas.addEventListener('webglcontextlost', this.#onLost);
    canvas.addEventListener('webglcontextrestored', this.#onRestored);
  }

  /** Whether the browser draws WebGL2 at all. */
  get canPaint(): boolean {
    return this.#gl !== null;
  }

  recolour(colours: HeatmapColours): void {
    this.#colours = colours;
  }

  /** `widthPx` and `heightPx` are CSS px; the canvas gets a pixel of the screen each, two at most. */
  resize(widthPx: number, heightPx: number): void {
    const scale = this.scale;
    this.#canvas.width = Math.max(1, Math.floor(widthPx * scale));
    this.#canvas.height = Math.max(1, Math.floor(heightPx * scale));
  }

  /** Screen pixels of a CSS pixel, whole, so that each column has as many. */
  get scale(): number {
    return devicePixelRatio >= 1.5 ? 2 : 1;
  }

  paint(frame: HeatmapFrame): void {
    const gl = this.#gl;
    if (gl === null || gl.isContextLost()) return;
    this.#drawing ??= new Drawing(gl);
    this.#drawing.upload(frame.columns);
    this.#drawing.draw(frame, this.#colours, this.scale);
    const { dataset } = this.#canvas;
    dataset.end = String(frame.end);
    dataset.endMs = String(frame.columns.column(frame.end)?.endMs);
    dataset.newest = String(frame.columns.open - 1);
    dataset.origin = String(this.#drawing.origin);
    dataset.capacity = String(frame.columns.capacity);
    dataset.columnMs = String(frame.columns.columnMs);
    dataset.bucketSize = String(frame.columns.bucketSize);
  }

  close(): void {
    this.#canvas.removeEventListener('webglcontextlost', this.#onLost);
    this.#canvas.removeEventListener('webglcontextrestored', this.#onRestored);
    this.#gl?.getExtension('WEBGL_lose_context')?.loseContext();
    this.#gl = null;
    this.#drawing = null;
  }

  readonly #onLost = (event: Event): void => {
    // Without this the browser never gives it back.
    event.preventDefault();
    this.#drawing = null;
  };

  readonly #onRestored = (): void => {
    this.#drawing = null;
  };
}

/** What lives as long as a context does. */
class Drawing {
  origin = 0;
  readonly #gl: WebGL2RenderingContext;
  readonly #field: WebGLProgram;
  readonly #bubble: WebGLProgram;
  readonly #buffer: WebGLBuffer | null;
  readonly #places = new Map<WebGLProgram, Map<string, WebGLUniformLocation | null>>();
  readonly #texels = new Float32Array(TEXELS * TEXEL_FLOATS);
  #columns: HeatmapColumns | null = null;
  /** The first column that is not uploaded. */
  #next = Number.NaN;

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#field = program(gl, FIELD_VERTEX, FIELD_FRAGMENT);
    this.#bubble = program(gl, BUBBLE_VERTEX, BUBBLE_FRAGMENT);
    this.#buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffer);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Uploads the columns that were closed since the last time: all of them after the grouping or the origin has changed. */
  upload(columns: HeatmapColumns): void {
    const gl = this.#gl;
    if (columns !== this.#columns) {
      this.#columns = columns;
      this.#next = Number.NaN;
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, columns.capacity, TEXELS, 0, gl.RG, gl.FLOAT, null);
    }
    if (Number.isNaN(columns.open)) return;
    const latest = baseBucket(columns, columns.open - 1);
    if (latest !== 0 && Math.abs(latest - this.origin) > FROM_ORIGIN_MAX) {
      this.origin = latest;
      this.#next = Number.NaN;
    }
    const from = Number.isNaN(this.#next) ? columns.oldest : Math.max(this.#next, columns.oldest);
    for (let column = from; column < columns.open; column += 1) {
      writeTexels(columns, column, this.origin, this.#texels);
      const slot = columns.slotOf(column);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, slot, 0, 1, TEXELS, gl.RG, gl.FLOAT, this.#texels);
    }
    this.#next = columns.open;
  }

  draw(frame: HeatmapFrame, colours: HeatmapColours, scale: number): void {
    const gl = this.#gl;
    const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
    gl.viewport(0, 0, width, height);
    gl.disable(gl.BLEND);
    gl.useProgram(this.#field);
    const { columns, end, low, rowPx, dark, full } = frame;
    const number = (name: string, value: number): void => gl.uniform1f(this.#place(name), value);
    const whole = (name: string, value: number): void => gl.uniform1i(this.#place(name), value);
    number('width', width);
    number('columnPx', scale);
    number('rowPx', rowPx * scale);
    number('linePx', LINE_PX * scale);
    number('low', low - this.origin);
    whole('slot', columns.slotOf(end));
    whole('held', Math.max(0, end - columns.oldest + 1));
    whole('capacity', columns.capacity);
    gl.uniform2f(this.#place('tones'), Math.log2(Math.max(dark, 1)), Math.log2(Math.max(full, 2)));
    for (const [name, rgb] of Object.entries(colours)) gl.uniform3fv(this.#place(name), rgb);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.#drawBubbles(frame, colours, scale, width, height);
  }

  #drawBubbles(
    { columns, end, low, rowPx }: HeatmapFrame,
    colours: HeatmapColours,
    scale: number,
    width: number,
    height: number,
  ): void {
    const gl = this.#gl;
    const from = Math.max(columns.oldest, end - Math.ceil(width / scale));
    const bubbles: number[] = [];
    let qtyMax = 0;
    for (let column = from; column <= end; column += 1) {
      const facts = columns.column(column);
      if (facts !== undefined) qtyMax = Math.max(qtyMax, facts.bought, facts.sold);
    }
    for (let column = from; column <= end; column += 1) {
      const facts = columns.column(column);
      if (facts === undefined) continue;
      const x = width - (end - column + 0.5) * scale;
      const add = (price: number, qty: number, bought: 0 | 1): void => {
        const diameter = BUBBLE_PX_MAX * Math.sqrt(qty / qtyMax);
        if (!(diameter >= BUBBLE_PX_MIN)) return;
        bubbles.push(x, (price / columns.bucketSize - low) * rowPx * scale, diameter * scale, bought);
      };
      add(facts.boughtPrice, facts.bought, 1);
      add(facts.soldPrice, facts.sold, 0);
    }
    if (bubbles.length === 0) return;
    gl.useProgram(this.#bubble);
    gl.enable(gl.BLEND);
    gl.uniform2f(this.#place('size', this.#bubble), width, height);
    gl.uniform3fv(this.#place('bid', this.#bubble), colours.bid);
    gl.uniform3fv(this.#place('ask', this.#bubble), colours.ask);
    gl.uniform3fv(this.#place('ground', this.#bubble), colours.ground);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(bubbles), gl.STREAM_DRAW);
    const at = gl.getAttribLocation(this.#bubble, 'bubble');
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, BUBBLE_FLOATS, gl.FLOAT, false, 0, 0);
    gl.drawArrays(gl.POINTS, 0, bubbles.length / BUBBLE_FLOATS);
  }

  #place(name: string, of: WebGLProgram = this.#field): WebGLUniformLocation | null {
    const places = this.#places.get(of) ?? new Map<string, WebGLUniformLocation | null>();
    this.#places.set(of, places);
    const known = places.get(name);
    if (known !== undefined) return known;
    const place = this.#gl.getUniformLocation(of, name);
    places.set(name, place);
    return place;
  }
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) continue;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  // A context that was lost meanwhile links nothing, and will be made again.
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost())
    throw new Error(`a program of the heatmap does not link: ${gl.getProgramInfoLog(made)}`);
  return made;
}
