# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# Reads what guest/batch prints and writes one flat TAP stream: each result gets a running number
# and the name of its test; everything else becomes a comment. At the end it writes the totals to
# the file named by "totals" (-v totals=FILE, "passed failed skipped next-number").
#
#   -v first=N      the first number
#   -v expect="A B" the tests that must report

function result(good, text) {
	printf "%s %d %s\n", good ? "ok" : "not ok", number++, text
	if (!good) {
		failed++
		bad++
	} else if (text ~ /# [Ss][Kk][Ii][Pp]/) {
		skipped++
	} else {
		passed++
	}
	fflush()
}

function begin(n) {
	name = n
	results = bad = 0
	plan = ""
	reason = ""
	ended[n] = 0
}

function end(status) {
	ended[name] = 1
	if (!results && (status == 4 || reason != "")) {
		result(1, name " # SKIP " (reason == "" ? "it says so by its status" : reason))
	} else if (!results) {
		result(status == 0, name (status ? " # status " status : ""))
	} else if (plan != "" && plan + 0 != results) {
		result(0, name ": planned " plan " results, gave " results)
	} else if (status == 124 || status == 137) {
		result(0, name ": took too long")
	} else if (status != 0 && status != 4 && !bad) {
		result(0, name ": ended with status " status)
	}
	name = ""
}

BEGIN {
	number = first ? first : 1
}

{
	sub(/\r$/, "")
}

/^@@ begin / {
	begin($3)
	next
}

/^@@ end / {
	end($4 + 0)
	next
}

name != "" && /^(not )?ok( |$)/ {
	good = !/^not /
	text = $0
	sub(/^(not )?ok *[0-9]* *(- +)?/, "", text)
	results++
	result(good, text ~ /^#/ || text == "" ? name " " text : name ": " text)
	next
}

name != "" && /^1\.\.[0-9]+/ {
	# A test may be several programs: their plans add up.
	plan += substr($1, 4)
	if (plan == 0)
		reason = match($0, /# *(SKIP|skip)/) ? substr($0, RSTART + RLENGTH + 1) : \
			"nothing to run"
	next
}

name != "" && /^Bail out!/ {
	results++
	result(0, name ": " $0)
	next
}

/^(TAP|KTAP) version/ || /^$/ {
	next
}

{
	print /^#/ ? $0 : "# " $0
	fflush()
}

END {
	if (name != "")
		result(0, name ": cut short")
	n = split(expect, names, " ")
	for (i = 1; i <= n; i++)
		if (!(names[i] in ended))
			result(0, names[i] ": not run")
	if (totals)
		print passed + 0, failed + 0, skipped + 0, number >totals
}
