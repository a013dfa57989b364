# Counts what passed and what failed.  scripts/test reads this file.

passed=0
failed=0
room=$(mktemp -d) # for whatever a step writes
trap 'rm -rf "$room"' EXIT

# try WHAT COUNT COMMAND...: says WHAT it tries, runs the command, and lets
# COUNT read "PASSED FAILED" off its output.  A command that fails all the
# same, or that tried nothing, has failed once; then its output is shown.
try() {
    local what=$1 count=$2 code ok bad
    shift 2
    printf '%-58s' "$what"
    "$@" >"$room/output" 2>&1 </dev/null
    code=$?
    read -r ok bad < <("$count" "$code" <"$room/output")
    ((bad > 0 || (code == 0 && ok > 0))) || bad=1
    passed=$((passed + ok))
    failed=$((failed + bad))
    echo "$ok passed, $bad failed"
    ((bad == 0)) || show_failure "$code"
    return $((bad > 0))
}

# What it wrote, less what passed: files of specs without a failure, and specs;
# but for the last one, where a crash came after it.
show_failure() { # EXIT_CODE
    awk 'function flush() {
            if (bad || !whole) {
                printf "%s", text
                if (!whole && last) print "    (the last that passed: " last ")"
            }
            text = last = bad = ""
            whole = 0
        }
        /^# spec file / { flush() }
        /^ok [0-9]/ { last = $0; next }
        /^1\.\.[0-9]+$/ { whole = 1 }
        /^not ok / { bad = 1 }
        { text = text "    " $0 "\n" }
        END { flush() }' "$room/output"
    echo "    (exit code $1)"
}

# One for the whole command.
whole() { # EXIT_CODE
    echo "$(($1 == 0)) $(($1 != 0))"
}

# One for each test of ctest.
tests_of_ctest() {
    awk '/ tests failed out of / { print $NF - $4, $4; found = 1 }
        END { if (!found) print 0, 1 }'
}

# One for each spec; pending ones do not count.  A file whose plan is missing
# was not tried to its end.
specs_of_busted() {
    awk '/^# spec file / { files++; next }
        /^ok [0-9]+ - # SKIP/ { next }
        /^ok [0-9]+ - / { ok++ }
        /^not ok [0-9]+ - / { bad++ }
        /^1\.\.[0-9]+$/ { plans++ }
        END { print ok + 0, bad + (files > plans ? files - plans : 0) }'
}

# The last line of all, and the exit code.
total() {
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}
