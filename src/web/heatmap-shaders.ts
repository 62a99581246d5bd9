/** Programs of the heatmap's painter, WebGL2. Places are device pixels from the lower left corner. */

export const FIELD_VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1)) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

/**
 * One texel a bucket and column; what is drawn of a pixel depends on its own texel and those of its two columns' best prices.
 *
 * `slot` is the column at the right edge, `held` how many from it leftwards there are, `low` the lowest bucket in view from the
 * texture's origin, `tones` the quantities at which colour begins and is full, as logarithms. Most cells are small: they
 * stay dark (`shade`), so that the large ones stand out. `onLine`: a line steps from one column's price to the next;
 * beyond `NO_PRICE` the side is empty. Comments stand here, for those within would be sent to each browser.
 */
export const FIELD_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
uniform highp sampler2D columns;
uniform float width;
uniform float columnPx;
uniform float rowPx;
uniform float linePx;
uniform int slot;
uniform int held;
uniform int capacity;
uniform float low;
uniform vec2 tones;
uniform vec3 ground;
uniform vec3 untold;
uniform vec3 broken;
uniform vec3 bid;
uniform vec3 ask;
uniform vec3 bright;
out vec4 colour;

const int ROWS = 256;
const int FACTS = 2;
const float NO_PRICE = 1e8;

float tone(float qty) {
  return qty <= 0.0 ? 0.0 : clamp((log2(qty) - tones.x) / max(tones.y - tones.x, 0.001), 0.0, 1.0);
}

vec3 shade(vec3 side, float share) {
  vec3 lower = mix(ground, side, min(share * share * 1.5, 1.0));
  return mix(lower, bright, max(0.0, share - 0.8) * 3.0);
}

bool onLine(float y, float before, float now) {
  if (abs(now) > NO_PRICE) return false;
  if (abs(before) > NO_PRICE) before = now;
  float from = (min(before, now) - low) * rowPx;
  float to = (max(before, now) - low) * rowPx;
  return y >= from - linePx && y <= to + linePx;
}

void main() {
  int back = int((width - gl_FragCoord.x) / columnPx);
  colour = vec4(ground, 1.0);
  if (back < 0 || back >= held) return;
  int at = (slot - back + capacity) % capacity;
  vec2 place = texelFetch(columns, ivec2(at, 0), 0).rg;
  if (place.y == 0.0) return;
  if (place.y == 2.0) {
    bool stripe = mod(gl_FragCoord.x + gl_FragCoord.y, 9.0) < 4.0;
    colour = vec4(stripe ? broken : ground, 1.0);
    return;
  }
  if (place.y == 3.0) {
    colour = vec4(mix(ground, bright, 0.3), 1.0);
    return;
  }
  vec2 best = texelFetch(columns, ivec2(at, 1), 0).rg;
  vec2 before = best;
  if (back + 1 < held) {
    int left = (at - 1 + capacity) % capacity;
    if (texelFetch(columns, ivec2(left, 0), 0).g == 1.0) before = texelFetch(columns, ivec2(left, 1), 0).rg;
  }
  float y = gl_FragCoord.y;
  if (onLine(y, before.x, best.x)) { colour = vec4(bid, 1.0); return; }
  if (onLine(y, before.y, best.y)) { colour = vec4(ask, 1.0); return; }
  int row = int(floor(low + y / rowPx)) - int(place.x);
  if (row < 0 || row >= ROWS) { colour = vec4(untold, 1.0); return; }
  vec2 cell = texelFetch(columns, ivec2(at, row + FACTS), 0).rg;
  if (cell.x < 0.0 || cell.y < 0.0) { colour = vec4(untold, 1.0); return; }
  vec3 side = cell.x >= cell.y ? bid : ask;
  colour = vec4(shade(side, tone(max(cell.x, cell.y))), 1.0);
}`;

/** A bubble: where it is, how large, and whether it bought (1) or sold (0). */
export const BUBBLE_VERTEX = `#version 300 es
in vec4 bubble;
uniform vec2 size;
out float bought;
out float diameter;
void main() {
  gl_Position = vec4(bubble.xy / size * 2.0 - 1.0, 0.0, 1.0);
  gl_PointSize = bubble.z;
  diameter = bubble.z;
  bought = bubble.w;
}`;

export const BUBBLE_FRAGMENT = `#version 300 es
precision highp float;
in float bought;
in float diameter;
uniform vec3 bid;
uniform vec3 ask;
uniform vec3 ground;
out vec4 colour;
void main() {
  float off = length(gl_PointCoord - 0.5) * diameter;
  float edge = diameter * 0.5;
  if (off > edge) discard;
  vec3 side = bought > 0.5 ? bid : ask;
  colour = off > edge - 1.0 ? vec4(ground, 1.0) : vec4(side, 0.8);
}`;
