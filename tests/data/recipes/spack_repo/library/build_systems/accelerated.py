from spack.package import PackageBase, any_combination_of, variant


class AcceleratedPackage(PackageBase):
    variant("cuda", default=False)
    variant("cuda_arch", values=any_combination_of("80", "90"), sticky=True, when="+cuda")
