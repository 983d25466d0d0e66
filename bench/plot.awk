# SPDX-License-Identifier: MIT
# Draws a section of the figures as an SVG:
#	awk -F '\t' -v section=NAME -f plot.awk BARS
# BARS are those of report.awk. A bar is as long as the figure is to its target, which is the line;
# those of the tracers side by side are on a scale of decades. The same figures give the same bytes.
# Colours are of the middle, text follows the reader's scheme: it can be read on white and on black.

function escape(text)
{
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

function text_put(x, row, class, text)
{
	body = body sprintf("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x,
		top + row * height + 15, class, escape(text))
}

function bar_put(row, class, length_px)
{
	body = body sprintf("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>\n",
		bars_x, top + row * height + 4, length_px < 1 ? 1 : length_px, height - 8, class)
}

# Decades: 1 is at the left end, 1000 at the right.
function decades(value)
{
	return value <= 1 ? 1 : bars_px * log(value) / log(1000)
}

BEGIN {
	width = 800
	height = 22
	top = 12
	bars_x = 430
	bars_px = 260
	target_px = 170 # from the left end of the bars
	values_x = 700
}

$1 == section {
	name = $3
	is_below = sub(/^  /, "", name)
	text_put(is_below ? 24 : 10, nr_rows, "t", name)
	text_put(values_x, nr_rows, "t", $5)
	if ($2 == "peer") {
		bar_put(nr_rows, name == "crypto-tracer" ? "ok" : "free", decades($4))
	} else if ($2 == "ratio" && $6 > 0) {
		share = $4 / $6 * target_px
		is_over = share > bars_px
		class = $7 == "free" ? "free" : ($7 == "least" ? $4 >= $6 : $4 <= $6) ? "ok" : "miss"
		bar_put(nr_rows, class, is_over ? bars_px : share)
		has_target = 1
	} else if ($2 == "ratio" && $7 == "most" && $4 <= 0) {
		bar_put(nr_rows, "ok", 1)
	} else if ($2 == "ratio" && $7 == "most") {
		bar_put(nr_rows, "miss", bars_px)
	}
	nr_rows++
	has_peer = has_peer || $2 == "peer"
}

END {
	if (nr_rows == 0)
		exit 1
	bottom = top + nr_rows * height
	if (has_target) {
		body = body sprintf("<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"line\"/>\n",
			bars_x + target_px, top - 4, bars_x + target_px, bottom)
		text_put(bars_x + target_px - 18, nr_rows, "t", "target")
	}
	for (i = 0; has_peer && i <= 3; i++)
		text_put(bars_x + bars_px * i / 3 - 4, nr_rows, "t", 10 ^ i "x")
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
		width, bottom + height + 4, width, bottom + height + 4
	print "<!-- SPDX-License-Identifier: MIT -->"
	print "<style>"
	print ".t { font: 12px sans-serif; fill: #24292f }"
	print ".ok { fill: #2a9d6f } .miss { fill: #d1495b } .free { fill: #8a8f98 }"
	print ".line { stroke: #c98500; stroke-width: 2; stroke-dasharray: 4 3 }"
	print "@media (prefers-color-scheme: dark) { .t { fill: #e6edf3 } }"
	print "</style>"
	printf "%s</svg>\n", body
}
