# chart.svg from the rows of the measures (tab separated; see report() in run):
# a bar for each time that is set against another one, the limit as a tick.
# Where the ratio is one of rates, its inverse is that of the times.
BEGIN { FS = "\t" }
$4 ~ /^>= 1\./ || ($4 ~ /^<= 1/ && $1 !~ /memory/) {
	n++
	split($4, limit, " ")
	value[n] = limit[1] == ">=" ? 1 / $3 : $3
	tick[n] = limit[1] == ">=" ? 1 / limit[2] : limit[2]
	name[n] = $1
	reached[n] = $5 == "yes"
	top = value[n] > top ? value[n] : top
	top = tick[n] > top ? tick[n] : top
}
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
function x(ratio) { return sprintf("%.1f", left + ratio * scale) }
END {
	left = 170; right = 60; width = 760; row = 26; head = 72
	step = top <= 2 ? 0.25 : top <= 4 ? 0.5 : 1
	top = step * int(top / step + 1)
	scale = (width - left - right) / top
	bottom = head + n * row
	height = bottom + 52
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"13\">\n", width, height, width, height
	printf "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", "Time of softdelete relative to the same by hand"
	print "<text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"600\" fill=\"#1f2328\">Time with softdelete, relative to the same by hand</text>"
	printf "<text x=\"16\" y=\"46\" font-size=\"12\" fill=\"#59636e\">%s</text>\n", escaped(subtitle)
	for (r = 0; r <= top + 0.001; r += step)
		if (r != 1) {
			printf "<line x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\" stroke=\"#e6e9ed\"/>\n", x(r), x(r), head, bottom
			printf "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\" fill=\"#59636e\">%.2f</text>\n", x(r), bottom + 16, r
		}
	for (i = 1; i <= n; i++) {
		y = head + (i - 1) * row
		printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#1f2328\">%s</text>\n", left - 10, y + 18, escaped(name[i])
		printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"16\" rx=\"2\" fill=\"%s\"/>\n", left, y + 5, value[i] * scale, reached[i] ? "#3b7dd8" : "#d9822b"
		printf "<line x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\" stroke=\"#1f2328\" stroke-width=\"2\"/>\n", x(tick[i]), x(tick[i]), y + 2, y + 24
		printf "<text x=\"%.1f\" y=\"%d\" font-size=\"12\" fill=\"#1f2328\">%.2f</text>\n", x(value[i] > tick[i] ? value[i] : tick[i]) + 6, y + 18, value[i]
	}
	printf "<line x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\" stroke=\"#1f2328\" stroke-dasharray=\"4 3\"/>\n", x(1), x(1), head - 6, bottom
	printf "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\" font-weight=\"600\" fill=\"#1f2328\">1.00</text>\n", x(1), bottom + 16
	printf "<text x=\"%s\" y=\"%d\" text-anchor=\"middle\" font-size=\"11\" font-weight=\"600\" fill=\"#1f2328\">by hand</text>\n", x(1), head - 8
	legend = bottom + 40
	printf "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" fill=\"#3b7dd8\"/><text x=\"%d\" y=\"%d\" font-size=\"12\" fill=\"#1f2328\">within the limit</text>\n", left, legend - 10, left + 18, legend
	printf "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" fill=\"#d9822b\"/><text x=\"%d\" y=\"%d\" font-size=\"12\" fill=\"#1f2328\">missed</text>\n", left + 120, legend - 10, left + 138, legend
	printf "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#1f2328\" stroke-width=\"2\"/><text x=\"%d\" y=\"%d\" font-size=\"12\" fill=\"#1f2328\">the limit (shorter is better)</text>\n</svg>\n", left + 206, left + 206, legend - 12, legend + 3, left + 214, legend
}
