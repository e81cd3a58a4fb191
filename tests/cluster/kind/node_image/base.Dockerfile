ARG DEBIAN
FROM $DEBIAN

# kind's own files: its entrypoint, the units of containerd and kubelet, and their configuration.
COPY files/ /

RUN chmod -R a+rx /usr/local/bin /kind

# A container is no machine. Of the units that systemd comes with only those that kind enables may start, and none that
# touches devices, kernel modules or the kernel's log.
RUN for target in multi-user basic local-fs; do \
      rm -rf /lib/systemd/system/$target.target.wants /etc/systemd/system/$target.target.wants; \
    done \
 && systemctl mask systemd-tmpfiles-setup.service systemd-binfmt.service systemd-udevd.service \
      systemd-udevd-kernel.socket systemd-udevd-control.socket initctl.service \
 && printf '[Journal]\nReadKMsg=no\n' > /etc/systemd/journald.conf

# kind looks for these where its own image has them.
RUN ln -sf /usr/lib/systemd/systemd /sbin/init \
 && ln -sf /usr/bin/containerd /usr/local/bin/containerd \
 && ln -sf /usr/sbin/runc /usr/local/sbin/runc \
 && mkdir -p /etc/kubernetes/manifests /opt/cni \
 && ln -s /usr/lib/cni /opt/cni/bin \
 && systemctl enable containerd kubelet undo-mount-hacks

# What containerd gives to every container of a pod: no limits of its own (raising them is a privilege that a machine may
# lack), and kind's hook that hides the real machine's serial numbers.
RUN ctr oci spec \
  | jq 'del(.process.rlimits) | .hooks.createContainer = [{path: "/kind/bin/mount-product-files.sh"}]' \
  > /etc/containerd/cri-base.json

# Where the machine lacks CAP_SYS_RESOURCE no container starts unless its OOM score is left alone, and where control groups
# are those of version 1 the kubelet has to be told to make do with them.
RUN sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml \
 && sed -i 's#^KUBELET_EXTRA_ARGS=#&--fail-cgroupv1=false #' /etc/default/kubelet

ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT [ "/usr/local/bin/entrypoint", "/sbin/init" ]
