# SPDX-License-Identifier: GPL-2.0
"""Boot a kernel in Bochs, which emulates processors that QEMU does not.

It is several times slower than QEMU, has one processor here, and time in it
passes with the instructions that it executes, not with the host's clock.
"""

import os
import shutil
import subprocess

# Instructions in one second of the guest.
SPEED = 100000000
ISOLINUX = ("/usr/lib/ISOLINUX/isolinux.bin",
            "/usr/lib/syslinux/modules/bios/ldlinux.c32")
# Bochs 2.7 says of the compacted format of XSAVE that it has the size of the
# standard one; Linux would then use no XSAVE at all.  The option taints.
# A reset would boot again: a triple fault ends it.
APPEND = ["ckpt.port=ttyS1", "reboot=triple", "maxcpus=1",
          f"tsc_early_khz={SPEED // 1000}", "clearcpuid=xsavec,xsaves", "ckpt.taint=4"]

LOADER = """\
default ckpt
prompt 0
label ckpt
  kernel /bzImage
  append initrd=/initrd {append}
"""

# Without a second thread, the processor says nothing of its topology that Linux
# believes.
MACHINE = """\
config_interface: textconfig
display_library: term
cpu: model=corei7_skylake_x, count=1:1:2, ips={speed}, reset_on_triple_fault=0
clock: sync=none, time0=utc
memory: guest={megabytes}, host={megabytes}
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=none, update_freq=1
pci: enabled=1, chipset=i440fx
plugin_ctrl: speaker=0, gameport=0, parallel=0, extfpuirq=0, usb_uhci=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={workdir}/cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={console}
com2: enabled=1, mode=file, dev={result}
log: {console}.bochs
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


def make_cd(workdir, kernel, initrd, append):
    """A CD that boots the kernel."""
    tree = os.path.join(workdir, "cd")
    os.mkdir(tree)
    for path in ISOLINUX:
        shutil.copy(path, tree)
    os.link(initrd, os.path.join(tree, "initrd"))
    shutil.copy(kernel, os.path.join(tree, "bzImage"))
    with open(os.path.join(tree, "isolinux.cfg"), "w", encoding="ascii") as out:
        out.write(LOADER.format(append=" ".join(append)))
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", f"{workdir}/cd.iso",
                    "-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot",
                    "-boot-load-size", "4", "-boot-info-table", tree],
                   check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def command(workdir, kernel, initrd, append, memory, console, result):
    """Make what the machine needs; return the command line that runs it."""
    make_cd(workdir, kernel, initrd, append + APPEND)
    gigabytes = memory.upper().endswith("G")
    megabytes = int(memory.rstrip("GMgm")) * (1024 if gigabytes else 1)
    with open(f"{workdir}/bochsrc", "w", encoding="ascii") as out:
        out.write(MACHINE.format(
            speed=SPEED, megabytes=megabytes, workdir=workdir,
            console=os.path.abspath(console), result=os.path.abspath(result)))
    # Debian's Bochs has a debugger, which waits to be told to go on.
    with open(f"{workdir}/go", "w", encoding="ascii") as out:
        out.write("continue\n")
    return ["bochs", "-q", "-f", f"{workdir}/bochsrc", "-rc", f"{workdir}/go"]
