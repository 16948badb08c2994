# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find compiled code with instructions that a CPU target lacks. prove.py uses it.

How: objdump disassembles each file, and grep stops at the first instruction of a set that the target has not. GCC writes no usable note
of what it compiled for, so the code itself is the only witness.
What it cannot see: whether an instruction is ever reached. Libraries such as OpenBLAS hold code for many CPUs and ask the CPU first;
a file that does ask is listed, and not judged. Nor does it look into static archives, bytecode or what is compiled at run time,
and of AVX-512 it tells no parts apart.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import concurrent.futures
import os
import re
import subprocess

# What follows the address in objdump's output, by archspec's name of the set. For grep -E and Python's re alike.
# Sets that only hand-written code uses, such as AES, are left out: such code asks the CPU.
X86_64 = {
    "avx512f": r"[a-z0-9]+ .*(%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|\{%k[1-7]\})|k(mov|and|andn|or|xor|xnor|not|ortest|test)[bwdq] |vpternlog",
    "avx2": r"vp[a-z0-9]+ .*%ymm|v(broadcasti128|inserti128|extracti128|perm2i128|permq|permpd|pbroadcast|p?gather|ps[lr]lv|pmaskmov)",
    "fma": r"vfn?m(add|sub|addsub|subadd)(132|213|231)",
    "f16c": r"vcvt(ph2ps|ps2ph) ",
    "avx": r"v[a-z0-9]+ .*%[xy]mm|vzero(upper|all)",
    "bmi2": r"(bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx)[lq]? ",
    "bmi1": r"(andn|bextr|blsi|blsmsk|blsr)[lq]? ",
    "movbe": r"movbe[wlq]? ",
    "abm": r"lzcnt[wlq]? ",
    "popcnt": r"popcnt[wlq]? ",
    "sse4_2": r"(pcmpgtq|pcmp[ei]str[im]|crc32[bwlq]?) ",
    "sse4_1": r"(blendv?p[sd]|dpp[sd]|extractps|insertps|mpsadbw|packusdw|pblendvb|pblendw|pcmpeqq|pextr[bdq]|phminposuw|pinsr[bdq]"
    r"|pm(ax|in)(sb|sd|ud|uw)|pmov[sz]x[bwd][wdq]|pmuldq|pmulld|ptest|round[ps][sd]) ",
    "ssse3": r"(pabs[bwd]|palignr|ph(add|sub)(w|d|sw)|pmaddubsw|pmulhrsw|pshufb|psign[bwd]) ",
    "sse3": r"(addsubp[sd]|h(add|sub)p[sd]|lddqu|movddup|movs[hl]dup|fisttpl?l?) ",
}
AARCH64 = {
    "sve": r"[a-z0-9]+ .*[ {,]z[0-9]+\.[bhsdq]|ptrue ",
    "bf16": r"bf(dot|mmla|mlal[bt]|cvtn?2?) ",
    "i8mm": r"(smmla|ummla|usmmla|usdot|sudot) ",
    "asimddp": r"[su]dot ",
    "atomics": r"(ld(add|clr|eor|set|smax|smin|umax|umin)|st(add|clr|eor|set)|swp|casp?)(al?|l)?[bh]? ",
}
SETS = {"x86_64": X86_64, "aarch64": AARCH64}
LINE = r"^ +[0-9a-f]+:[[:space:]]+((lock|rep|bnd) )?({})"
# A program that asks the CPU what it can do: the instruction itself, or what libgcc, glibc and the kernel answer.
ASKS = {"x86_64": "cpuid", "aarch64": r"mrs .*id_aa64"}
ASKING_SYMBOLS = re.compile(
    r"\b(__cpu_model|__cpu_indicator_init|_dl_x86_get_cpu_features|__aarch64_have_lse_atomics|getauxval"
    # A function that is chosen when the program starts.
    r"|R_(X86_64|AARCH64)_IRELATIVE?)\b|^[0-9a-f]+ +\S*i",
    re.MULTILINE,
)
DISASSEMBLE = ["objdump", "--disassemble", "--no-show-raw-insn"]


def beyond_target(paths, machine, features):
    """Look through programs and libraries for code beyond a target.

    paths: ELF files. machine: as uname says it. features: what the target has, as archspec names them.
    Returns [{"file", "instruction", "needs", "asks"}] for the files with such code. asks: whether the file asks the CPU what it can do.
    """
    lacking = {name: pattern for name, pattern in SETS[machine].items() if name not in features}
    if not lacking:
        return []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [found for found in pool.map(lambda path: look_into(path, machine, lacking), paths) if found]


def look_into(path, machine, lacking):
    line = first_line(path, LINE.format("|".join(lacking.values())))
    if not line:
        return None
    instruction = re.sub(r"\s+", " ", line.split(":", 1)[1]).strip()
    needs = next(name for name, pattern in lacking.items() if re.match(LINE.format(pattern).replace("[:space:]", r"\s"), line))
    return {"file": path, "instruction": instruction, "needs": needs, "asks": asks(path, machine)}


def asks(path, machine):
    tables = output("objdump", "--syms", "--dynamic-syms", "--dynamic-reloc", path)
    return bool(ASKING_SYMBOLS.search(tables) or first_line(path, LINE.format(ASKS[machine])))


def first_line(path, pattern):
    """Return the first line of a file's disassembly that matches; empty when none does."""
    code = subprocess.Popen([*DISASSEMBLE, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ, LC_ALL="C"))
    grep = ["grep", "--max-count=1", "--extended-regexp", pattern]
    with code:
        found = subprocess.run(
            grep, stdin=code.stdout, stdout=subprocess.PIPE, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, check=False
        )
    return found.stdout.decode(errors="replace")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode(errors="replace")
