/**
 * The system calls that a confined process may make: the same set as Docker's default profile allows (compared with what its runtime is
 * given), written by purpose. Everything else fails with EPERM; clone3 with ENOSYS, so that libc falls back to clone, whose flags can be seen.
 * @see runtime-spec config-linux.md#seccomp
 */
import type { OciSeccomp, OciSeccompRule } from "./oci-spec.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);

const files = words(`
  access cachestat chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fadvise64_64
  fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr
  fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat ioctl lchown
  lchown32 lgetxattr link linkat listmount listxattr listxattrat llistxattr lremovexattr lseek _llseek lsetxattr lstat lstat64 mkdir mkdirat
  name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
  removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64 setxattr setxattrat splice stat stat64 statfs statfs64
  statmount statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64
  utimes vmsplice write writev`);
const waiting = words(`
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup
  io_submit _newselect pause poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64`);
const processes = words(`
  capget capset execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid getegid32 geteuid geteuid32 getgid getgid32
  getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid
  getuid getuid32 ioprio_get ioprio_set kill pidfd_open pidfd_send_signal prctl prlimit64 process_mrelease restart_syscall rseq
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
  sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list
  set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid
  setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 sigaltstack sigprocmask sigreturn
  sysinfo tgkill tkill ugetrlimit uname uretprobe vfork wait4 waitid waitpid landlock_add_rule landlock_create_ruleset landlock_restrict_self
  riscv_hwprobe ptrace process_vm_readv process_vm_writev`);
const memory = words(`
  brk futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake getrandom madvise map_shadow_stack membarrier memfd_create memfd_secret
  mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
  remap_file_pages`);
const time = words(`
  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 times`);
const talking = words(`
  accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recv recvfrom recvmmsg
  recvmmsg_time64 recvmsg semctl semget semop semtimedop semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget
  shutdown socketcall socketpair`);
const nodes = ["mknod", "mknodat"];

/** What a capability adds. */
const byCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: ["bpf"],
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_PERFMON: ["perf_event_open"],
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount
    mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`),
  CAP_SYS_BOOT: ["reboot"],
  CAP_SYS_CHROOT: ["chroot"],
  CAP_SYS_MODULE: ["delete_module", "init_module", "finit_module"],
  CAP_SYS_NICE: ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"],
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_PTRACE: ["kcmp", "pidfd_getfd", "process_madvise"],
  CAP_SYS_RAWIO: ["iopl", "ioperm"],
  CAP_SYS_TIME: ["settimeofday", "stime", "clock_settime", "clock_settime64"],
  CAP_SYS_TTY_CONFIG: ["vhangup"],
  CAP_SYSLOG: ["syslog"],
};

interface ArchProfile {
  readonly architectures: readonly string[];
  readonly extra: readonly string[];
}

const byArch: Readonly<Record<string, ArchProfile>> = {
  x64: { architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], extra: ["arch_prctl", "modify_ldt"] },
  arm64: {
    architectures: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    extra: ["arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls"],
  },
};

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET: a confined process makes no namespaces */
const newNamespaceFlags = 0x7e02_0000;
/** AF_VSOCK would reach the hypervisor */
const vsockFamily = 40;
/** PER_LINUX, PER_LINUX32, UNAME26, both, and "tell me" */
const personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

export interface SeccompChoice {
  /** Node's process.arch */
  readonly arch: string;
  /** with the CAP_ prefix */
  readonly capabilities: readonly string[];
  /** No device cgroup guards opened devices: only harmless device nodes may be made then. */
  readonly guardDevices: boolean;
}

export function createSeccompProfile(choice: SeccompChoice): OciSeccomp {
  const arch = byArch[choice.arch];
  const isAdmin = choice.capabilities.includes("CAP_SYS_ADMIN");
  const granted = choice.capabilities.flatMap((name) => byCapability[name] ?? []);
  const plain = [...files, ...waiting, ...processes, ...memory, ...time, ...talking, ...(arch?.extra ?? []), ...granted];
  const names = [...new Set(choice.guardDevices ? plain : [...plain, ...nodes])].sort();
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    ...(arch === undefined ? {} : { architectures: arch.architectures }),
    syscalls: [
      { names, action: "SCMP_ACT_ALLOW" },
      { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: vsockFamily, op: "SCMP_CMP_NE" }] },
      ...personalities.map((value): OciSeccompRule => ({ names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] })),
      ...(isAdmin ? [] : namespaceRules),
      ...(choice.guardDevices ? nodeRules() : []),
    ],
  };
}

const namespaceRules: readonly OciSeccompRule[] = [
  { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: newNamespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] },
  { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
];

const typeMask = 0o170000;
/** regular (two spellings), fifo, socket */
const harmlessTypes = [0, 0o100000, 0o010000, 0o140000];
const characterDevice = 0o020000;
/** whiteout, null, zero, full, random, urandom, tty, console, ptmx: kernel encoding major << 8 | minor */
const harmlessDevices = [0x000, 0x103, 0x105, 0x107, 0x108, 0x109, 0x500, 0x501, 0x502];

function nodeRules(): OciSeccompRule[] {
  const calls = [
    { name: "mknod", mode: 1 },
    { name: "mknodat", mode: 2 },
  ];
  return calls.flatMap(({ name, mode }) => [
    ...harmlessTypes.map((type): OciSeccompRule => ({
      names: [name],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: mode, value: typeMask, valueTwo: type, op: "SCMP_CMP_MASKED_EQ" }],
    })),
    ...harmlessDevices.map((device): OciSeccompRule => ({
      names: [name],
      action: "SCMP_ACT_ALLOW",
      args: [
        { index: mode, value: typeMask, valueTwo: characterDevice, op: "SCMP_CMP_MASKED_EQ" },
        { index: mode + 1, value: device, op: "SCMP_CMP_EQ" },
      ],
    })),
  ]);
}
