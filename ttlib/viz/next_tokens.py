"""What a language model expected at each place of a text: choose a token and see what else it might have been.

HTML with a few lines of JavaScript, like `ttlib.viz.explorer`: no kernel, no network; mouse, touch and keyboard.
"""

import hashlib
import html
from collections.abc import Sequence
from string import Template

from ttlib.errors import require
from ttlib.viz.explorer import Explorer, script

Candidates = Sequence[tuple[str, float]]  # text and probability
PAGE = Template("""\
<div class="tt-figure tt-next $key">
<style>
.$key{max-width:44em;margin:auto;color:inherit}
.$key .text{line-height:2;white-space:pre-wrap;overflow-wrap:anywhere}
.$key [role=radio]{cursor:pointer;outline:none;border-radius:.25em;padding:.2em 0;touch-action:manipulation;
 box-decoration-break:clone;-webkit-box-decoration-break:clone;box-shadow:inset 0 0 0 1px rgba(128,128,128,.35)}
.$key [aria-checked=true]{box-shadow:inset 0 0 0 2px currentColor}
.$key [role=radio]:focus-visible{box-shadow:inset 0 0 0 3px #0b84d0}
.$key .lead{opacity:.8}
.$key .rows{max-width:30em;margin:.3em 0}
.$key .rows>div{display:grid;grid-template-columns:8em minmax(3em,1fr) 6.5em;gap:.5em;align-items:center}
.$key .rows span{white-space:pre;overflow:hidden;text-overflow:ellipsis}
.$key .rows span:last-child{text-align:right}
.$key .rows i{display:block;height:.9em;min-width:1px;background:#0b84d0;border-radius:.15em}
.$key .rows .it{font-weight:bold}
.$key p{margin:.4em 0;min-height:1.5em}
</style>
<div class="text" role="radiogroup" aria-label="$label">$lead$words</div>
<p aria-live="polite">$title</p>
<div class="rows" aria-hidden="true"></div>
<details><summary>The same as text</summary><ul>$told</ul></details>
<script>
document.querySelectorAll(".$key:not([data-on])").forEach(box=>{
box.dataset.on=1;
const data=$data,tokens=[...box.querySelectorAll("[role=radio]")],body=box.querySelector(".rows");
const percent=p=>(p<.1&&p>0?"under 0.1":p.toFixed(p<10?1:0))+" %";
let now=$start;
function show(i){
 const [name,p,others]=data[i];
 const rows=others.map(a=>[a[0],a[1],a[0]===name]);
 if(!rows.some(r=>r[2]))rows.push([name,p,true]);
 body.replaceChildren(...rows.map(([t,v,it])=>{
  const [row,name,bar,share]=["div","span","i","span"].map(tag=>document.createElement(tag));
  name.textContent=(it?"▸ ":"  ")+t;bar.style.width=v+"%";share.textContent=percent(v);
  row.append(name,bar,share);
  if(it)row.className="it";
  return row}));
 box.querySelector("p").textContent="“"+name+"” had "+percent(p)+"; expected: "+
  others.slice(0,3).map(a=>a[0]+" "+percent(a[1])).join(", ")+"."}
function choose(i,focus){
 now=i;
 tokens.forEach((t,j)=>{t.setAttribute("aria-checked",j===i);t.tabIndex=j===i?0:-1});
 if(focus)tokens[i].focus();
 show(i)}
tokens.forEach((t,i)=>{
 t.addEventListener("click",()=>choose(i,true));
 t.addEventListener("mouseenter",()=>show(i));
 t.addEventListener("mouseleave",()=>show(now));
 t.addEventListener("keydown",e=>{
  const step={ArrowRight:1,ArrowDown:1,ArrowLeft:-1,ArrowUp:-1}[e.key],n=tokens.length;
  if(step)choose((i+step+n)%n,true);
  else if(e.key==="Home")choose(0,true);
  else if(e.key==="End")choose(n-1,true);
  else if(e.key===" "||e.key==="Enter")choose(i,true);
  else return;
  e.preventDefault()})});
choose(now)});
</script>
</div>""")


def next_tokens(
    tokens: Sequence[str],
    probabilities: Sequence[float],
    candidates: Sequence[Candidates],
    *,
    lead: str = "",
    title: str = "Next tokens",
    start: int = 0,
) -> Explorer:
    """A text whose tokens can be asked what the model expected in their place.

    Each token comes with its own probability (the likelier, the stronger its colour) and with the model's
    candidates, likeliest first. ``lead`` is text before the first token that nobody had to guess; the token of number
    ``start`` is chosen at first.

    Raises:
        InputError: there is no token, not one probability and one list of candidates for each, a number that is no
            probability, or no such ``start``.
    """
    check(tokens, probabilities, candidates, start)
    data = [
        (visible(token), in_percent(p), [(visible(text), in_percent(q)) for text, q in some])
        for token, p, some in zip(tokens, probabilities, candidates, strict=True)
    ]
    told = [in_words(*row) for row in data]
    fill = {
        "title": html.escape(title),
        "label": html.escape(f"{title}. Choose a token to see what the model expected in its place."),
        "lead": f'<span class="lead">{html.escape(lead)}</span>' if lead else "",
        "words": "".join(button(token, p) for token, p in zip(tokens, probabilities, strict=True)),
        "told": "".join(f"<li>{html.escape(line)}</li>" for line in told),
        "data": script(data),
        "start": start,
    }
    key = "tt" + hashlib.sha256(repr(sorted(fill.items())).encode()).hexdigest()[:8]
    return Explorer(PAGE.substitute(fill, key=key), "\n".join([title, *told]))


def check(tokens: Sequence[str], probabilities: Sequence[float], candidates: Sequence[Candidates], start: int) -> None:
    """Refuse what `next_tokens` cannot draw."""
    n = len(tokens)
    require(n > 0, "tokens", tokens, "at least one")
    require(len(probabilities) == n, "probabilities", len(probabilities), f"one per token ({n})")
    require(len(candidates) == n, "candidates", len(candidates), f"a list per token ({n})")
    every = [*probabilities, *(p for some in candidates for _, p in some)]
    bad = [p for p in every if not 0 <= p <= 1]
    require(not bad, "probabilities", bad[:1], "numbers from 0 to 1")
    require(0 <= start < n, "start", start, f"the number of a token, 0 to {n - 1}")


def visible(text: str) -> str:
    """White space that can be seen: ``␣`` for a space, ``⏎`` for a new line."""
    return text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")


def in_percent(p: float) -> float:
    """Rounded so that a figure stays small: two digits after the point, but never down to nothing."""
    return max(round(100 * float(p), 2), 0.01 if p > 0 else 0.0)


def say_percent(p: float) -> str:
    """As the script says it."""
    return f"{'under 0.1' if 0 < p < 0.1 else f'{p:.1f}' if p < 10 else f'{p:.0f}'} %"


def in_words(token: str, p: float, candidates: Candidates) -> str:
    """One line of the text alternative."""
    best = ", ".join(f"{text} {say_percent(q)}" for text, q in candidates[:3])
    return f"{token}: {say_percent(p)}; expected: {best}"


def button(token: str, p: float) -> str:
    """One token of the text; a new line is shown and made."""
    strength = f"background:rgba(11,132,208,{0.45 * float(p):.2f})"
    shown = html.escape(token.replace("\n", "⏎\n"))
    name = html.escape(visible(token))
    return (
        f'<span role="radio" aria-checked="false" tabindex="-1" aria-label="{name}" style="{strength}">{shown}</span>'
    )
