"""Attention that can be explored: choose a word and see where it looks, or who looks at it.

Inline SVG with a few lines of JavaScript: works without a kernel, without the network, by mouse, touch and
keyboard, in light and dark, on a phone; the same weights stand below as text.
"""

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from string import Template

from ttlib.errors import require
from ttlib.shapes import Float, Tensor
from ttlib.viz.attention import check_labels
from ttlib.viz.style import shorten

WIDTH, ROW, LEFT, RIGHT = 380, 30, 132, 248  # drawing units; a phone shows about 350 of them as 350 pixels
SIZES = {"width": WIDTH, "row": ROW, "middle": 27 + ROW // 2}
SIZES |= {"left_end": LEFT - 8, "right_start": RIGHT + 8, "x1": LEFT + 3, "x2": RIGHT - 3}
PAGE = Template("""\
<div class="tt-figure tt-explorer $key">
<style>
.$key{max-width:34em;margin:auto;color:inherit}
.$key svg{width:100%;height:auto;display:block;touch-action:manipulation}
.$key text{fill:currentColor;font:14px sans-serif}
.$key .pct{font-size:12px;pointer-events:none}
.$key [role=radio]{cursor:pointer;outline:none}
.$key .box{fill:#0b84d0;fill-opacity:0;stroke:none}
.$key [aria-checked=true] text:not(.pct){font-weight:bold}
.$key [aria-checked=true] .box{stroke:currentColor;stroke-width:1.5}
.$key [role=radio]:focus-visible .box{stroke:#0b84d0;stroke-width:3}
.$key line{stroke:#0b84d0;stroke-linecap:round}
.$key p{min-height:3em;margin:.3em 0}
</style>
$choice<svg viewBox="0 0 $width $height" role="radiogroup" aria-label="$label">
<text x="$left_end" y="18" text-anchor="end" style="font-size:12px">who looks</text>
<text x="$right_start" y="18" style="font-size:12px">who is looked at</text>
<g class="lines"></g>
$words</svg>
<p aria-live="polite">$title</p>
<details><summary>The same as text</summary>$told</details>
<script>
document.querySelectorAll(".$key:not([data-on])").forEach(box=>{
box.dataset.on=1;
const maps=$maps,words=[$queries,$keys],$$=s=>[...box.querySelectorAll(s)];
const side=[$$(".q"),$$(".k")],lines=box.querySelector(".lines"),picks=$$("select");
let now=[0,$start];
function draw(focus){
 const [s,i]=now,w=maps[picks.reduce((n,p)=>n*p.options.length+ +p.value,0)],n=s?w.map(r=>r[i]):w[i];
 side.flat().forEach(g=>{g.setAttribute("aria-checked",false);g.tabIndex=-1;
  g.querySelector(".box").style.fillOpacity=0;g.querySelector(".pct").textContent=""});
 const me=side[s][i];me.setAttribute("aria-checked",true);me.tabIndex=0;if(focus)me.focus();
 const y=j=>$row*j+$middle,ends=j=>s?[y(j),y(i)]:[y(i),y(j)];
 lines.innerHTML=n.map((v,j)=>v?`<line x1="$x1" y1="$${ends(j)[0]}" x2="$x2" y2="$${ends(j)[1]}" `+
  `stroke-width="$${1+v/12}" stroke-opacity="$${.15+.85*v/100}"/>`:"").join("");
 n.forEach((v,j)=>{const g=side[1-s][j];g.querySelector(".box").style.fillOpacity=v/140;
  g.querySelector(".pct").textContent=v+" %"});
 const top=n.map((v,j)=>[v,words[1-s][j]]).filter(a=>a[0]>0).sort((a,b)=>b[0]-a[0]).slice(0,5);
 const say=s?`Who looks at “$${words[1][i]}”: `:`“$${words[0][i]}” looks at: `;
 box.querySelector("p").textContent=say+(top.map(a=>a[1]+" "+a[0]+" %").join(", ")||"nothing")+"."}
side.forEach((gs,s)=>gs.forEach((g,i)=>{
 g.addEventListener("click",()=>{now=[s,i];draw(true)});
 g.addEventListener("keydown",e=>{
  const step={ArrowDown:1,ArrowUp:-1}[e.key],jump={ArrowLeft:0,ArrowRight:1}[e.key];
  if(step)now=[s,(i+step+gs.length)%gs.length];
  else if(jump!==undefined)now=[jump,Math.min(i,side[jump].length-1)];
  else if(e.key===" "||e.key==="Enter")now=[s,i];
  else return;
  e.preventDefault();draw(true)})}));
picks.forEach(p=>p.addEventListener("change",()=>draw()));
draw()});
</script>
</div>""")


class Explorer:
    """The figure; a notebook shows it as HTML, a terminal as text."""

    def __init__(self, page: str, told: str) -> None:
        self.page, self.told = page, told

    def __repr__(self) -> str:
        return self.told

    def _repr_html_(self) -> str:
        return self.page


def explore(
    weights: Float[Tensor, "T S"] | Mapping[str, Float[Tensor, "T S"]],
    queries: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    title: str = "Attention",
    start: int = 0,
) -> Explorer:
    """An explorable picture of attention weights; several named maps (layers, heads) get a menu.

    Weights are rounded to whole percents. ``keys`` default to the queries: self-attention. The query of number
    ``start`` is chosen at first.

    Raises:
        InputError: there is no map, a map has not one label per row and per column, or there is no such query.
    """
    keys = queries if keys is None else keys
    maps = dict(weights) if isinstance(weights, Mapping) else {title: weights}
    require(len(maps) > 0, "weights", weights, "at least one map")
    require(0 <= start < len(queries), "start", start, f"the number of a query, 0 to {len(queries) - 1}")
    for matrix in maps.values():
        check_labels(matrix, queries, keys)
    percents = {name: in_percent(matrix) for name, matrix in maps.items()}
    told = {name: in_words(rows, queries, keys) for name, rows in percents.items()}
    choice = menu("Map", list(maps)) if len(maps) > 1 else ""
    return assemble(list(percents.values()), told, queries, keys, title, choice, start)


def explore_heads(
    heads: Float[Tensor, "..."],
    tokens: Sequence[str],
    *,
    title: str,
    first: tuple[int, int] = (1, 1),
    start: int = 0,
) -> Explorer:
    """All heads of one sentence, (L, H, T, T), with a menu of layers and a menu of heads, both counted from 1.

    ``first`` is the layer and the head that are shown at first, ``start`` the number of the token chosen at first.

    Raises:
        InputError: there is not one label per row and per column, or no such layer, head or token.
    """
    require(heads.ndim == 4, "heads", tuple(heads.shape), "four axes, (layers, heads, queries, keys)")
    (n_layers, n_heads), (layer, head) = heads.shape[:2], first
    require(0 < layer <= n_layers and 0 < head <= n_heads, "first", first, f"at most {(n_layers, n_heads)}, from 1")
    require(0 <= start < len(tokens), "start", start, f"the number of a token, 0 to {len(tokens) - 1}")
    percents, told = [], {}
    for i, matrix in enumerate(heads.flatten(0, 1)):
        check_labels(matrix, tokens, tokens)
        percents.append(in_percent(matrix))
        told[f"layer {i // n_heads + 1}, head {i % n_heads + 1}"] = in_words(percents[-1], tokens, tokens, most=1)
    numbers = [[str(i + 1) for i in range(n)] for n in (n_layers, n_heads)]
    choice = menu("Layer", numbers[0], layer - 1) + " " + menu("Head", numbers[1], head - 1)
    return assemble(percents, told, tokens, tokens, title, choice, start)


def assemble(
    percents: list[list[list[int]]],
    told: Mapping[str, Sequence[str]],
    queries: Sequence[str],
    keys: Sequence[str],
    title: str,
    choice: str,
    start: int,
) -> Explorer:
    """The page of one explorer, under a name made from what it holds."""
    fill = {
        "choice": choice,
        "title": html.escape(title),
        "label": html.escape(
            f"{title}. Choose a word on the left to see where it looks, on the right to see who looks."
        ),
        "words": "".join(word(side, i, w) for side, ws in (("q", queries), ("k", keys)) for i, w in enumerate(ws)),
        "told": listed(told),
        "maps": script(percents),
        "queries": script(list(queries)),
        "keys": script(list(keys)),
        "height": ROW * max(len(queries), len(keys)) + 32,
        "start": start,
        **SIZES,
    }
    key = "tt" + hashlib.sha256(repr(sorted(fill.items())).encode()).hexdigest()[:8]
    return Explorer(
        PAGE.substitute(fill, key=key), "\n".join([title, *(line for lines in told.values() for line in lines)])
    )


def in_percent(matrix: Tensor) -> list[list[int]]:
    """Weights as whole percents."""
    return (100 * matrix.detach().float().cpu()).round().int().tolist()


def menu(label: str, names: Sequence[str], chosen: int = 0) -> str:
    """A choice between several maps."""
    options = "".join(
        f'<option value="{i}"{" selected" if i == chosen > 0 else ""}>{html.escape(name)}</option>'
        for i, name in enumerate(names)
    )
    return f"<label>{label}: <select>{options}</select></label>"


def listed(told: Mapping[str, Sequence[str]]) -> str:
    """The weights as lists, under the maps' names if there are several."""
    lists = {name: "".join(f"<li>{html.escape(line)}</li>" for line in lines) for name, lines in told.items()}
    return "".join(f"{html.escape(name) if len(told) > 1 else ''}<ul>{items}</ul>" for name, items in lists.items())


def word(side: str, number: int, text: str) -> str:
    """One word as a radio button inside the drawing."""
    y, left = 27 + ROW * number, side == "q"
    x, anchor, at = (2, "end", LEFT - 8) if left else (RIGHT, "start", RIGHT + 8)
    role = "looks" if left else "is looked at"
    number_at = 'x="6" text-anchor="start"' if left else f'x="{WIDTH - 4}" text-anchor="end"'
    return (
        f'<g class="{side}" role="radio" aria-checked="false" tabindex="-1" aria-label="{html.escape(text)} {role}">'
        f'<rect class="box" x="{x}" y="{y + 2}" width="{LEFT - 2}" height="{ROW - 4}" rx="5"/>'
        f'<text x="{at}" y="{y + 20}" text-anchor="{anchor}">{html.escape(shorten(text, 13))}</text>'
        f'<text class="pct" y="{y + 20}" {number_at}></text></g>\n'
    )


def in_words(percents: list[list[int]], queries: Sequence[str], keys: Sequence[str], most: int = 3) -> list[str]:
    """For each query the few keys that get most."""
    lines = []
    for query, row in zip(queries, percents, strict=True):
        best = sorted(zip(row, keys, strict=True), key=lambda pair: -pair[0])[:most]
        shares = ", ".join(f"{key} {value} %" for value, key in best if value > 0)
        lines.append(f"{query} → {shares or 'nothing'}")
    return lines


def script(value: object) -> str:
    """JSON that may stand inside a <script> element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
