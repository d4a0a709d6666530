# Completes options, target rules and figures of `snakemake` in this folder: source completion.bash
# (Snakemake itself has had no shell completion since version 8.)

_nearfirst_words() {
    snakemake --help | grep -oE -- '--[a-z][a-z-]+' | sort -u
    snakemake --list-target-rules 2>/dev/null | cut -d ' ' -f 1
    PYTHONPATH=workflow python -c '
from nearfirst.settings.figures import FigureSettings
print(*(f"results/{name}.pdf" for name in FigureSettings.model_fields), sep="\n")'
}

_nearfirst_complete() {
    # Asked once: Snakemake takes seconds to answer.
    [ -n "${_nearfirst_known:-}" ] || _nearfirst_known=$(_nearfirst_words)
    mapfile -t COMPREPLY < <(compgen -W "$_nearfirst_known" -- "$2")
}

complete -o bashdefault -o default -F _nearfirst_complete snakemake
